using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>What config.json says of a T5Gemma (models/t5gemma/configuration_t5gemma.py of transformers 5.17).</summary>
internal sealed record T5GemmaConfiguration
{
    private static readonly GemmaDefaults _defaults = new()
    {
        VocabularySize = 256000,
        SlidingPattern = 2,
        HasRopeByLayerType = false,
        LogitSoftCap = 30,
        ScoreSoftCap = 50,
    };

    public required GemmaHalf Encoder { get; init; }

    public required GemmaHalf Decoder { get; init; }

    /// <summary>Whether the decoder's token embeddings serve for the vocabulary projection.</summary>
    public required bool IsTied { get; init; }

    public required GenerationDefaults GenerationDefaults { get; init; }

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static T5GemmaConfiguration Read(ModelConfiguration configuration)
    {
        ConfigurationSection root = configuration.Root;
        GemmaHalf decoder = GemmaHalf.Read(Half(root, "decoder"), _defaults);
        return new T5GemmaConfiguration
        {
            Encoder = GemmaHalf.Read(Half(root, "encoder"), _defaults),
            Decoder = decoder,
            IsTied = root.Flag("tie_word_embeddings", defaultValue: true),
            GenerationDefaults = Generation(configuration, decoder),
        };
    }

    /// <summary>One half's section; absent: empty, as all its keys have defaults.</summary>
    public static ConfigurationSection Half(ConfigurationSection parent, string key) =>
        parent.Find(key) switch
        {
            null or { ValueKind: JsonValueKind.Null } => ConfigurationSection.Empty($"{parent.File}, {key}"),
            { ValueKind: JsonValueKind.Object } half => new ConfigurationSection($"{parent.File}, {key}", half),
            { } other => throw parent.Refuse(key, other, "an object, the configuration of that half"),
        };

    public static GenerationDefaults Generation(ModelConfiguration configuration, GemmaHalf decoder) =>
        GenerationDefaults.Read(
            configuration,
            decoder.VocabularySize,
            new GenerationParameters
            {
                BosTokenId = 2,
                PadTokenId = 0,
                EosTokenId = [1],
            }
        );
}
