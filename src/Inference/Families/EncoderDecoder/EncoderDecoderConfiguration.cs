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

    public required BertConfiguration Encoder { get; init; }

    /// <summary>The decoder where it is a BERT or a RoBERTa; else null.</summary>
    public required BertConfiguration? BertDecoder { get; init; }

    /// <summary>The decoder where it is a GPT-2; else null.</summary>
    public required Gpt2Configuration? Gpt2Decoder { get; init; }

    /// <summary>Whether the halves may be stored once (<c>tie_encoder_decoder</c> of older versions).</summary>
    public required bool IsShared { get; init; }

    public required GenerationDefaults GenerationDefaults { get; init; }

    public int DecoderWidth => BertDecoder?.ModelWidth ?? Gpt2Decoder!.ModelWidth;

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static EncoderDecoderConfiguration Read(ModelConfiguration configuration)
    {
        ConfigurationSection root = configuration.Root;
        ConfigurationSection encoder = Half(root, "encoder");
        ConfigurationSection decoder = Half(root, "decoder");
        if (encoder.Flag("is_decoder", defaultValue: false))
        {
            throw encoder.Refuse("is_decoder", "true", "false: the encoder must see whole lines");
        }

        bool isGpt2 = Type(decoder, BertConfiguration.Types, Gpt2Configuration.Type) == Gpt2Configuration.Type;
        Type(encoder, BertConfiguration.Types);
        BertConfiguration? bert = isGpt2 ? null : BertConfiguration.Read(decoder);
        Gpt2Configuration? gpt2 = isGpt2 ? Gpt2Configuration.Read(decoder) : null;
        EncoderDecoderConfiguration halves = new()
        {
            Encoder = BertConfiguration.Read(encoder),
            BertDecoder = bert,
            Gpt2Decoder = gpt2,
            IsShared = !isGpt2 && root.Flag("tie_encoder_decoder", defaultValue: false),
            GenerationDefaults = GenerationDefaults.Read(
                configuration,
                bert?.VocabularySize ?? gpt2!.VocabularySize,
                new GenerationParameters()
            ),
        };
        int width = decoder.OptionalInteger("cross_attention_hidden_size", 1, int.MaxValue) ?? halves.DecoderWidth;
        return width == halves.DecoderWidth
            ? halves
            : throw decoder.Refuse(
                "cross_attention_hidden_size",
                width,
                $"the decoder's own width, {halves.DecoderWidth}"
            );
    }

    private static ConfigurationSection Half(ConfigurationSection root, string key) =>
        root.Find(key) switch
        {
            { ValueKind: JsonValueKind.Object } half => new ConfigurationSection($"{root.File}, {key}", half),
            { } other => throw root.Refuse(key, other, "an object, the configuration of that half"),
            null => throw root.Refuse(key, "absent", "an object, the configuration of that half"),
        };

    private static string Type(ConfigurationSection half, params ReadOnlySpan<string> known)
    {
        string type = half.Text(TypeKey, "");
        return known.Contains(type)
            ? type
            : throw half.Refuse(TypeKey, $"\"{type}\"", $"one of {string.Join(", ", known!)}");
    }

    private static string Type(ConfigurationSection half, string[] known, string other) =>
        Type(half, [.. known, other]);
}
