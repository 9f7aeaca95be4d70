using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// What config.json says of two joined halves (models/encoder_decoder/configuration_encoder_decoder.py of transformers
/// 5.17): each has its own configuration, under <c>encoder</c> and <c>decoder</c>.
/// </summary>
internal sealed record EncoderDecoderConfiguration
{
    private const string TypeKey = "model_type";

    public required HalfConfiguration Encoder { get; init; }

    public required HalfConfiguration Decoder { get; init; }

    /// <summary>Whether the halves may be stored once (<c>tie_encoder_decoder</c> of older versions).</summary>
    public required bool IsShared { get; init; }

    public required GenerationDefaults GenerationDefaults { get; init; }

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static EncoderDecoderConfiguration Read(ModelConfiguration configuration)
    {
        ConfigurationSection root = configuration.Root;
        ConfigurationSection decoderSection = Section(root, "decoder");
        HalfConfiguration encoder = ReadHalf(Section(root, "encoder"), BertVariant.All);
        HalfConfiguration decoder = ReadHalf(
            decoderSection,
            [.. BertVariant.All.Where(variant => variant.Head is not null)]
        );
        if (
            decoderSection.OptionalInteger("cross_attention_hidden_size", 1, int.MaxValue) is { } width
            && (width != encoder.ModelWidth || width != decoder.ModelWidth)
        )
        {
            throw decoderSection.Refuse(
                "cross_attention_hidden_size",
                width,
                $"the width of both halves; the encoder's is {encoder.ModelWidth}, the decoder's {decoder.ModelWidth}"
            );
        }

        return new EncoderDecoderConfiguration
        {
            Encoder = encoder,
            Decoder = decoder,
            IsShared = encoder.GetType() == decoder.GetType() && root.Flag("tie_encoder_decoder", defaultValue: false),
            GenerationDefaults = GenerationDefaults.Read(
                configuration,
                decoder.VocabularySize,
                new GenerationParameters()
            ),
        };
    }

    private static ConfigurationSection Section(ConfigurationSection root, string key) =>
        root.Find(key) switch
        {
            { ValueKind: JsonValueKind.Object } half => new ConfigurationSection($"{root.File}, {key}", half),
            { } other => throw root.Refuse(key, other, "an object, the configuration of that half"),
            null => throw root.Refuse(key, "absent", "an object, the configuration of that half"),
        };

    private static HalfConfiguration ReadHalf(ConfigurationSection half, IReadOnlyList<BertVariant> variants)
    {
        string type = half.Text(TypeKey, "");
        if (type == Gpt2Configuration.ModelType)
        {
            return Gpt2Configuration.Read(half);
        }

        IEnumerable<string> known = variants.Select(variant => variant.ModelType).Append(Gpt2Configuration.ModelType);
        return variants.FirstOrDefault(variant => variant.ModelType == type) is { } found
            ? BertConfiguration.Read(half, found)
            : throw half.Refuse(
                TypeKey,
                $"\"{type}\"",
                $"one of {string.Join(", ", known.Order(StringComparer.Ordinal))}"
            );
    }
}
