using System.Globalization;
using System.Text.Json;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>
/// What a configuration says of one half, encoder or decoder, of a T5Gemma or a T5Gemma 2
/// (models/t5gemma/configuration_t5gemma.py, models/t5gemma2/configuration_t5gemma2.py of transformers 5.17).
/// </summary>
internal sealed record GemmaHalf
{
    private const string Sliding = "sliding_attention";
    private const string Full = "full_attention";

    public required int VocabularySize { get; init; }
    public required int ModelWidth { get; init; }
    public required int FeedForwardWidth { get; init; }
    public required int Heads { get; init; }

    /// <summary>Heads of keys and values; each serves as many of the queries'.</summary>
    public required int KeyHeads { get; init; }
    public required int HeadWidth { get; init; }

    /// <summary>Factor of attention scores.</summary>
    public required double Scale { get; init; }
    public required bool HasAttentionBias { get; init; }
    public required Activation Activation { get; init; }
    public required double NormEpsilon { get; init; }

    /// <summary>Of each layer, whether its tokens see a window only.</summary>
    public required IReadOnlyList<bool> IsSliding { get; init; }

    /// <summary>Size of the window.</summary>
    public required int SlidingWindow { get; init; }

    /// <summary>Positions of layers that see everything, and of those that see a window.</summary>
    public required GemmaRope FullRope { get; init; }
    public required GemmaRope SlidingRope { get; init; }

    /// <summary>Logits are bent to lie within ± this; null: they are not.</summary>
    public required double? LogitSoftCap { get; init; }

    /// <summary>A cap of attention scores that the configuration has; it is not applied.</summary>
    public required double? ScoreSoftCap { get; init; }

    public int QueryWidth => Heads * HeadWidth;

    public int KeyWidth => KeyHeads * HeadWidth;

    public int ProjectedWidth => QueryWidth + (2 * KeyWidth);

    public int Layers => IsSliding.Count;

    /// <summary>Says in the load report what the configurations of two halves ask for and does not happen.</summary>
    public static void NoteIgnored(GemmaHalf encoder, GemmaHalf decoder, WeightScope weights)
    {
        if ((encoder.ScoreSoftCap ?? decoder.ScoreSoftCap) is { } cap)
        {
            weights.Note(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"attn_logit_softcapping is {cap}, and attention scores are not capped: neither are they in the default attention of transformers 5.17, whose tokens are those to equal."
                )
            );
        }
    }

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static GemmaHalf Read(ConfigurationSection half, GemmaDefaults defaults)
    {
        int heads = half.Size("num_attention_heads", 8);
        int keyHeads = half.Size("num_key_value_heads", 4);
        if (heads % keyHeads != 0)
        {
            throw half.Refuse("num_key_value_heads", keyHeads, $"a divisor of num_attention_heads, which is {heads}");
        }

        int headWidth = half.Size("head_dim", 256);
        if (headWidth % 2 != 0)
        {
            throw half.Refuse("head_dim", headWidth, "an even number: positions turn the halves of a head");
        }

        bool[] isSliding = LayerTypes(half, half.Size("num_hidden_layers", 26), defaults.SlidingPattern);
        int? window = half.Find("sliding_window") is null
            ? 4096
            : half.OptionalInteger("sliding_window", 1, int.MaxValue / 4);
        if (window is null && isSliding.Contains(true))
        {
            throw half.Refuse("sliding_window", "null", $"a size: layer_types has \"{Sliding}\"");
        }

        return new GemmaHalf
        {
            VocabularySize = half.Size("vocab_size", defaults.VocabularySize),
            ModelWidth = half.Size("hidden_size", 2304),
            FeedForwardWidth = half.Size("intermediate_size", 9216),
            Heads = heads,
            KeyHeads = keyHeads,
            HeadWidth = headWidth,
            Scale = Math.Pow(half.Number("query_pre_attn_scalar", 256, minimum: double.Epsilon), -0.5),
            HasAttentionBias = half.Flag("attention_bias", defaultValue: false),
            Activation = half.Activation("hidden_activation", "gelu_pytorch_tanh"),
            NormEpsilon = half.Number("rms_norm_eps", 1e-6, minimum: 0),
            IsSliding = isSliding,
            SlidingWindow = window ?? 0,
            FullRope = defaults.HasRopeByLayerType
                ? GemmaRope.Read(half, Full, "rope_theta", 1e6)
                : GemmaRope.Read(half),
            SlidingRope = defaults.HasRopeByLayerType
                ? GemmaRope.Read(half, Sliding, "rope_local_base_freq", 1e4)
                : GemmaRope.Read(half),
            LogitSoftCap = SoftCap(half, "final_logit_softcapping", defaults.LogitSoftCap),
            ScoreSoftCap = SoftCap(half, "attn_logit_softcapping", defaults.ScoreSoftCap),
        };
    }

    private static bool[] LayerTypes(ConfigurationSection half, int layers, int pattern)
    {
        const string Key = "layer_types";
        if (half.Find(Key) is not { ValueKind: not JsonValueKind.Null } list)
        {
            int every = half.Size("sliding_window_pattern", pattern);
            return [.. Enumerable.Range(1, layers).Select(number => number % every != 0)];
        }

        return
            list.ValueKind == JsonValueKind.Array
            && list.GetArrayLength() == layers
            && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            && list.EnumerateArray().All(item => item.GetString() is Sliding or Full)
            ? [.. list.EnumerateArray().Select(item => item.GetString() == Sliding)]
            : throw half.Refuse(Key, list, $"num_hidden_layers = {layers} of \"{Sliding}\" and \"{Full}\"");
    }

    private static double? SoftCap(ConfigurationSection half, string key, double? defaultValue) =>
        half.Find(key) is null ? defaultValue
        : half.Has(key) ? half.Number(key, 0, minimum: 1e-6)
        : null;
}

/// <summary>Where the two generations differ when a configuration is silent.</summary>
internal sealed record GemmaDefaults
{
    public required int VocabularySize { get; init; }

    /// <summary>Every how many layers one sees everything.</summary>
    public required int SlidingPattern { get; init; }

    /// <summary>Whether the positions of layers that see a window are others than those of layers that see everything.</summary>
    public required bool HasRopeByLayerType { get; init; }

    public required double? LogitSoftCap { get; init; }

    public required double? ScoreSoftCap { get; init; }
}

/// <summary>Rotary positions: base of the wavelengths, and what positions are divided by.</summary>
internal sealed record GemmaRope(double Theta, double Factor)
{
    private const string Key = "rope_parameters";

    /// <summary>One for all layers: rope_parameters, or the older keys beside it.</summary>
    public static GemmaRope Read(ConfigurationSection half) =>
        Read(half, Section(half, Key) ?? Section(half, "rope_scaling"), half.Number("rope_theta", 1e4, minimum: 1e-9));

    /// <summary>That of one type of layers.</summary>
    public static GemmaRope Read(ConfigurationSection half, string layerType, string thetaKey, double theta)
    {
        ConfigurationSection? own = Section(half, Key) is { } all ? Section(all, layerType) : null;
        // The older key scales the layers that see everything.
        own ??= thetaKey == "rope_theta" ? Section(half, "rope_scaling") : null;
        return Read(half, own, half.Number(thetaKey, theta, minimum: 1e-9));
    }

    private static GemmaRope Read(ConfigurationSection half, ConfigurationSection? rope, double theta)
    {
        rope ??= ConfigurationSection.Empty(half.File);
        string type = rope.Text(rope.Has("rope_type") ? "rope_type" : "type", "default");
        return type switch
        {
            "default" => new GemmaRope(rope.Number("rope_theta", theta, minimum: 1e-9), 1),
            "linear" => new GemmaRope(
                rope.Number("rope_theta", theta, minimum: 1e-9),
                rope.Number("factor", 1, minimum: 1e-9)
            ),
            _ => throw rope.Refuse("rope_type", $"\"{type}\"", "\"default\" or \"linear\""),
        };
    }

    private static ConfigurationSection? Section(ConfigurationSection parent, string key) =>
        parent.Find(key) switch
        {
            null or { ValueKind: JsonValueKind.Null } => null,
            { ValueKind: JsonValueKind.Object } value => new ConfigurationSection(parent.File, value),
            { } other => throw parent.Refuse(key, other, "an object"),
        };
}
