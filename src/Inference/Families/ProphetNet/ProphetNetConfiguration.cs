using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.ProphetNet;

/// <summary>What config.json says of a ProphetNet (models/prophetnet/configuration_prophetnet.py of transformers 5.17).</summary>
internal sealed record ProphetNetConfiguration
{
    public required int VocabularySize { get; init; }
    public required int ModelWidth { get; init; }
    public required int EncoderLayers { get; init; }
    public required int DecoderLayers { get; init; }
    public required int EncoderHeads { get; init; }
    public required int DecoderHeads { get; init; }
    public required int EncoderFeedForwardWidth { get; init; }
    public required int DecoderFeedForwardWidth { get; init; }

    /// <summary>Rows of the position tables.</summary>
    public required int MaxPositions { get; init; }
    public required Activation Activation { get; init; }

    /// <summary>Streams that predict the next tokens in training; in generation the first alone is computed.</summary>
    public required int PredictStreams { get; init; }
    public required int Buckets { get; init; }
    public required int MaxDistance { get; init; }
    public required bool TiesEmbeddings { get; init; }
    public required GenerationDefaults GenerationDefaults { get; init; }

    public BartSublayerShape EncoderShape => new(ModelWidth, EncoderHeads, EncoderFeedForwardWidth, Activation);

    public BartSublayerShape DecoderShape => new(ModelWidth, DecoderHeads, DecoderFeedForwardWidth, Activation);

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static ProphetNetConfiguration Read(ModelConfiguration configuration)
    {
        ConfigurationSection root = configuration.Root;
        int vocabulary = root.Size("vocab_size", 30522);
        int width = root.Size("hidden_size", 1024);
        if (root.Find("pad_token_id") is not null && root.TokenId("pad_token_id", vocabulary) != 0)
        {
            // generate of transformers 5.17 refuses it too: positions of a step are then not what its attention expects.
            throw root.Refuse("pad_token_id", root.Find("pad_token_id")!.Value, "0: positions are counted from it");
        }

        if (!root.Flag("add_cross_attention", defaultValue: true))
        {
            throw root.Refuse("add_cross_attention", "false", "true: a decoder that attends to the source");
        }

        int buckets = root.Integer("num_buckets", 32, 4, 1 << 16);
        int distance = root.Size("relative_max_distance", 128);
        if (distance <= buckets / 2)
        {
            throw root.Refuse("relative_max_distance", distance, $"more than half of num_buckets, which is {buckets}");
        }

        return new ProphetNetConfiguration
        {
            VocabularySize = vocabulary,
            ModelWidth = width,
            EncoderLayers = root.Size("num_encoder_layers", 12),
            DecoderLayers = root.Size("num_decoder_layers", 12),
            EncoderHeads = Heads(root, "num_encoder_attention_heads", width),
            DecoderHeads = Heads(root, "num_decoder_attention_heads", width),
            EncoderFeedForwardWidth = root.Size("encoder_ffn_dim", 4096),
            DecoderFeedForwardWidth = root.Size("decoder_ffn_dim", 4096),
            // Row 0 is padding's, and a step looks at the row after its token's.
            MaxPositions = root.Integer("max_position_embeddings", 512, 3, int.MaxValue),
            Activation = root.Activation("activation_function", "gelu"),
            PredictStreams = root.Size("ngram", 2),
            Buckets = buckets,
            MaxDistance = distance,
            TiesEmbeddings = root.Flag("tie_word_embeddings", defaultValue: true),
            GenerationDefaults = GenerationDefaults.Read(
                configuration,
                vocabulary,
                new GenerationParameters
                {
                    BosTokenId = 1,
                    PadTokenId = 0,
                    EosTokenId = [2],
                    DecoderStartTokenId = 0,
                }
            ),
        };
    }

    private static int Heads(ConfigurationSection root, string key, int width)
    {
        int heads = root.Size(key, 16);
        return width % heads == 0
            ? heads
            : throw root.Refuse(key, heads, $"a divisor of hidden_size, which is {width}");
    }
}
