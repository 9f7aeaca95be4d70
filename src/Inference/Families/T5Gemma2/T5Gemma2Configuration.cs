using Seq2Seq.Inference.Families.T5Gemma;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.T5Gemma2;

/// <summary>What config.json says of a T5Gemma 2 (models/t5gemma2/configuration_t5gemma2.py of transformers 5.17).</summary>
internal sealed record T5Gemma2Configuration
{
    private static readonly GemmaDefaults _defaults = new()
    {
        VocabularySize = 262208,
        SlidingPattern = 6,
        HasRopeByLayerType = true,
        LogitSoftCap = null,
        ScoreSoftCap = null,
    };

    public required GemmaHalf Encoder { get; init; }

    public required GemmaHalf Decoder { get; init; }

    /// <summary>The token that ends an image, which has an embedding of its own.</summary>
    public required int EndOfImage { get; init; }

    /// <summary>Whether one table of token embeddings serves encoder, decoder and vocabulary projection.</summary>
    public required bool IsTied { get; init; }

    public required GenerationDefaults GenerationDefaults { get; init; }

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static T5Gemma2Configuration Read(ModelConfiguration configuration)
    {
        ConfigurationSection root = configuration.Root;
        ConfigurationSection encoder = T5GemmaConfiguration.Half(root, "encoder");
        ConfigurationSection decoder = T5GemmaConfiguration.Half(root, "decoder");
        ConfigurationSection text = T5GemmaConfiguration.Half(encoder, "text_config");
        T5Gemma2Configuration read = new()
        {
            Encoder = GemmaHalf.Read(text, _defaults),
            Decoder = GemmaHalf.Read(decoder, _defaults),
            EndOfImage = encoder.Integer("eoi_token_index", 256000, 0, int.MaxValue),
            IsTied = root.Flag("tie_word_embeddings", defaultValue: true),
            GenerationDefaults = T5GemmaConfiguration.Generation(configuration, GemmaHalf.Read(decoder, _defaults)),
        };
        if (read.Encoder.ModelWidth != read.Decoder.ModelWidth)
        {
            throw decoder.Refuse("hidden_size", read.Decoder.ModelWidth, $"the encoder's, {read.Encoder.ModelWidth}");
        }

        return read.Encoder.VocabularySize == read.Decoder.VocabularySize
            ? read
            : throw decoder.Refuse(
                "vocab_size",
                read.Decoder.VocabularySize,
                $"the encoder's, {read.Encoder.VocabularySize}"
            );
    }
}
