using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.Bart;

/// <summary>
/// What config.json says of a BART (models/bart/configuration_bart.py of transformers 5.17) and of the families that share
/// its keys and its names of weights.
/// </summary>
internal sealed record BartConfiguration
{
    /// <summary>Number of logits.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Number of token ids that the encoder takes; another than the decoder's in some of Marian's models.</summary>
    public required int SourceVocabularySize { get; init; }
    public required int ModelWidth { get; init; }
    public required int EncoderLayers { get; init; }
    public required int DecoderLayers { get; init; }
    public required int EncoderHeads { get; init; }
    public required int DecoderHeads { get; init; }
    public required int EncoderFeedForwardWidth { get; init; }
    public required int DecoderFeedForwardWidth { get; init; }

    /// <summary>Longest source that there are positions for.</summary>
    public required int MaxSourcePositions { get; init; }

    /// <summary>Longest target that there are positions for.</summary>
    public required int MaxTargetPositions { get; init; }

    /// <summary>The token that stands for padding; null where the configuration says that there is none.</summary>
    public required int? PaddingToken { get; init; }
    public required Activation Activation { get; init; }

    /// <summary>Whether embeddings are multiplied by the square root of the model's width.</summary>
    public required bool ScalesEmbeddings { get; init; }
    public required GenerationDefaults GenerationDefaults { get; init; }

    public BartSublayerShape EncoderShape => new(ModelWidth, EncoderHeads, EncoderFeedForwardWidth, Activation);

    public BartSublayerShape DecoderShape => new(ModelWidth, DecoderHeads, DecoderFeedForwardWidth, Activation);

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static BartConfiguration Read(ModelConfiguration configuration, BartDefaults defaults)
    {
        ConfigurationSection root = configuration.Root;
        int vocabulary = root.Size(defaults.SourceVocabularyKey, defaults.VocabularySize);
        int targetVocabulary = root.OptionalInteger(defaults.TargetVocabularyKey, 1, int.MaxValue) ?? vocabulary;
        int width = root.Size(defaults.WidthKey, defaults.ModelWidth);
        // Padding is never computed, but a wrong id says that the file is another model's.
        int? padding = root.TokenId("pad_token_id", Math.Max(vocabulary, targetVocabulary));
        return new BartConfiguration
        {
            VocabularySize = targetVocabulary,
            SourceVocabularySize = vocabulary,
            ModelWidth = width,
            EncoderLayers = root.Size("encoder_layers", defaults.EncoderLayers),
            DecoderLayers = root.Size("decoder_layers", defaults.DecoderLayers),
            EncoderHeads = Heads(root, "encoder_attention_heads", defaults, width),
            DecoderHeads = Heads(root, "decoder_attention_heads", defaults, width),
            EncoderFeedForwardWidth = root.Size("encoder_ffn_dim", defaults.FeedForwardWidth),
            DecoderFeedForwardWidth = root.Size("decoder_ffn_dim", defaults.FeedForwardWidth),
            MaxSourcePositions = root.Size(defaults.SourcePositionsKey, defaults.MaxSourcePositions),
            MaxTargetPositions = root.Size(defaults.TargetPositionsKey, defaults.MaxTargetPositions),
            PaddingToken = root.Find("pad_token_id") is null ? defaults.Generation.PadTokenId : padding,
            Activation = root.Activation("activation_function", defaults.Activation),
            ScalesEmbeddings = root.Flag("scale_embedding", defaults.ScalesEmbeddings),
            GenerationDefaults = GenerationDefaults.Read(configuration, targetVocabulary, defaults.Generation),
        };
    }

    private static int Heads(ConfigurationSection root, string key, BartDefaults defaults, int width)
    {
        int heads = root.Size(key, defaults.Heads);
        return width % heads == 0
            ? heads
            : throw root.Refuse(key, heads, $"a divisor of {defaults.WidthKey}, which is {width}");
    }
}

/// <summary>What a family's configuration class has where config.json is silent; as it stands here, BART's.</summary>
internal sealed record BartDefaults
{
    public int VocabularySize { get; init; } = 50265;
    public int ModelWidth { get; init; } = 1024;
    public int EncoderLayers { get; init; } = 12;
    public int DecoderLayers { get; init; } = 12;
    public int Heads { get; init; } = 16;
    public int FeedForwardWidth { get; init; } = 4096;
    public int MaxSourcePositions { get; init; } = 1024;
    public int MaxTargetPositions { get; init; } = 1024;
    public string Activation { get; init; } = "gelu";
    public bool ScalesEmbeddings { get; init; }

    public string WidthKey { get; init; } = "d_model";
    public string SourceVocabularyKey { get; init; } = "vocab_size";
    public string TargetVocabularyKey { get; init; } = "decoder_vocab_size";
    public string SourcePositionsKey { get; init; } = "max_position_embeddings";
    public string TargetPositionsKey { get; init; } = "max_position_embeddings";

    /// <summary>Special tokens, and the other options of generation that the class sets.</summary>
    public GenerationParameters Generation { get; init; } =
        new()
        {
            BosTokenId = 0,
            PadTokenId = 1,
            EosTokenId = [2],
            DecoderStartTokenId = 2,
        };
}
