using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>
/// What config.json says of a T5 (models/t5/configuration_t5.py and its siblings for mt5, umt5 and longt5 in transformers 5.17).
/// </summary>
internal sealed record T5Configuration
{
    public required int VocabularySize { get; init; }
    public required int ModelWidth { get; init; }

    /// <summary>Width of one head; heads × this need not be the model's width.</summary>
    public required int HeadWidth { get; init; }

    public required int Heads { get; init; }
    public required int FeedForwardWidth { get; init; }
    public required int EncoderLayers { get; init; }
    public required int DecoderLayers { get; init; }
    public required int BiasBuckets { get; init; }
    public required int BiasMaxDistance { get; init; }
    public required double NormEpsilon { get; init; }
    public required Activation Activation { get; init; }

    /// <summary>Whether the configuration has a gated feed-forward; the weights decide.</summary>
    public required bool IsGated { get; init; }

    /// <summary>Whether the decoder's output is divided by the square root of its width before the vocabulary projection.</summary>
    public required bool ScalesOutput { get; init; }

    /// <summary>Whether each layer has a position bias of its own; else the first layer's serves all.</summary>
    public required bool HasBiasInEveryLayer { get; init; }

    public required GenerationDefaults GenerationDefaults { get; init; }

    public int InnerWidth => Heads * HeadWidth;

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static T5Configuration Read(ModelConfiguration configuration)
    {
        ConfigurationSection root = configuration.Root;
        bool isFirst = configuration.ModelType is not ("mt5" or "umt5");
        int vocabulary = root.Size("vocab_size", isFirst ? 32128 : 250112);
        int layers = root.Size("num_layers", isFirst ? 6 : 8);
        (Activation activation, bool isGated) = ReadFeedForward(root, isFirst ? "relu" : "gated-gelu");
        int pad = root.TokenId("pad_token_id", vocabulary) ?? 0;
        return new T5Configuration
        {
            VocabularySize = vocabulary,
            ModelWidth = root.Size("d_model", 512),
            HeadWidth = root.Size("d_kv", 64),
            Heads = root.Size("num_heads", isFirst ? 8 : 6),
            FeedForwardWidth = root.Size("d_ff", isFirst ? 2048 : 1024),
            EncoderLayers = layers,
            DecoderLayers = root.OptionalInteger("num_decoder_layers", 1, int.MaxValue) ?? layers,
            BiasBuckets = root.Integer("relative_attention_num_buckets", 32, 4, int.MaxValue),
            BiasMaxDistance = root.Size("relative_attention_max_distance", 128),
            NormEpsilon = root.Number("layer_norm_epsilon", 1e-6, minimum: 0),
            Activation = activation,
            IsGated = isGated,
            ScalesOutput = configuration.ModelType switch
            {
                "mt5" => false,
                "umt5" => true,
                // The first version ties its embeddings and scales; 1.1 doesn't, and is known by untied embeddings.
                _ => root.Flag("scale_decoder_outputs", root.Flag("tie_word_embeddings", defaultValue: true)),
            },
            HasBiasInEveryLayer = configuration.ModelType == "umt5",
            GenerationDefaults = GenerationDefaults.Read(
                configuration,
                vocabulary,
                new GenerationParameters
                {
                    PadTokenId = pad,
                    EosTokenId = [1],
                    DecoderStartTokenId = pad,
                }
            ),
        };
    }

    /// <summary><c>feed_forward_proj</c>: the name of an activation, or <c>gated-</c> and its name.</summary>
    private static (Activation Activation, bool IsGated) ReadFeedForward(ConfigurationSection root, string defaultName)
    {
        const string Key = "feed_forward_proj";
        string text = root.Text(Key, defaultName);
        string[] parts = text.Split('-');
        bool isGated = parts.Length == 2 && parts[0] == "gated";
        try
        {
            if (isGated || parts.Length == 1)
            {
                // By an old accident this one name means the approximation.
                return (Activations.Parse(text == "gated-gelu" ? "gelu_new" : parts[^1]), isGated);
            }
        }
        catch (FormatException)
        {
            // Refused below.
        }

        throw root.Refuse(Key, $"\"{text}\"", "an activation, such as \"relu\", or \"gated-\" and its name");
    }
}
