using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.SwitchTransformers;

/// <summary>
/// What config.json says of a Switch Transformer (models/switch_transformers/configuration_switch_transformers.py of
/// transformers 5.17).
/// </summary>
internal sealed record SwitchConfiguration
{
    /// <summary>What it has in common with T5.</summary>
    public required T5Configuration T5 { get; init; }

    public required int Experts { get; init; }

    public required bool HasRouterBias { get; init; }

    /// <summary>Whether the token embeddings serve for the vocabulary projection, whose input is then scaled.</summary>
    public required bool IsTied { get; init; }

    /// <summary>Every how many layers one has experts; 0: none has. The weights decide.</summary>
    public required int EncoderStep { get; init; }

    /// <summary>As <see cref="EncoderStep"/>, in the decoder.</summary>
    public required int DecoderStep { get; init; }

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static SwitchConfiguration Read(ModelConfiguration configuration)
    {
        ConfigurationSection root = configuration.Root;
        int encoderLayers = root.Size("num_layers", 12);
        int decoderLayers = root.Find("num_decoder_layers") is null
            ? 12
            : root.OptionalInteger("num_decoder_layers", 1, int.MaxValue) ?? encoderLayers;
        bool isTied = root.Flag("tie_word_embeddings", defaultValue: true);
        if (root.Text("router_dtype", "float32") is var type and not "float32")
        {
            throw root.Refuse("router_dtype", $"\"{type}\"", "\"float32\"");
        }

        // In transformers 5.17 a token fills its expert's capacity alone: any but none is as good as unlimited.
        root.Size("expert_capacity", 64);
        return new SwitchConfiguration
        {
            T5 = ReadT5(configuration, encoderLayers, decoderLayers, isTied),
            Experts = root.Size("num_experts", 8),
            HasRouterBias = root.Flag("router_bias", defaultValue: false),
            IsTied = isTied,
            EncoderStep = Step(root, "encoder", encoderLayers),
            DecoderStep = Step(root, "decoder", decoderLayers),
        };
    }

    private static T5Configuration ReadT5(
        ModelConfiguration configuration,
        int encoderLayers,
        int decoderLayers,
        bool isTied
    )
    {
        ConfigurationSection root = configuration.Root;
        int vocabulary = root.Size("vocab_size", 32128);
        int pad = root.TokenId("pad_token_id", vocabulary) ?? 0;
        return new T5Configuration
        {
            VocabularySize = vocabulary,
            ModelWidth = root.Size("d_model", 768),
            HeadWidth = root.Size("d_kv", 64),
            Heads = root.Size("num_heads", 12),
            FeedForwardWidth = root.Size("d_ff", 2048),
            EncoderLayers = encoderLayers,
            DecoderLayers = decoderLayers,
            BiasBuckets = root.Integer("relative_attention_num_buckets", 32, 4, int.MaxValue),
            BiasMaxDistance = root.Size("relative_attention_max_distance", 128),
            NormEpsilon = root.Number("layer_norm_epsilon", 1e-6, minimum: 0),
            Activation = root.Activation("dense_act_fn", "relu"),
            IsGated = false,
            ScalesOutput = isTied,
            HasBiasInEveryLayer = false,
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

    private static int Step(ConfigurationSection root, string stack, int layers)
    {
        int sparse = root.Integer($"num_sparse_{stack}_layers", 3, 0, int.MaxValue);
        return root.Integer($"{stack}_sparse_step", sparse > 0 ? layers / sparse : layers, 0, int.MaxValue);
    }
}
