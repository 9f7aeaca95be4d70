using System.Text.Json;
using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.Led;

/// <summary>What config.json says of an LED beyond BART (models/led/configuration_led.py of transformers 5.17).</summary>
internal sealed record LedConfiguration
{
    private const string WindowKey = "attention_window";
    private const int DefaultWindow = 512;

    private static readonly BartDefaults _defaults = new()
    {
        SourcePositionsKey = "max_encoder_position_embeddings",
        TargetPositionsKey = "max_decoder_position_embeddings",
        MaxSourcePositions = 16384,
        Generation = new GenerationParameters
        {
            BosTokenId = 0,
            PadTokenId = 1,
            EosTokenId = [2],
            DecoderStartTokenId = 2,
        },
    };

    public required BartConfiguration Base { get; init; }

    /// <summary>Of each encoder layer, the greatest distance at which a token sees another.</summary>
    public required IReadOnlyList<int> Radii { get; init; }

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static LedConfiguration Read(ModelConfiguration configuration)
    {
        // LED's class has no scale_embedding: its embeddings are as they are.
        BartConfiguration shared = BartConfiguration.Read(configuration, _defaults) with
        {
            ScalesEmbeddings = false,
        };
        return new LedConfiguration { Base = shared, Radii = ReadRadii(configuration.Root, shared.EncoderLayers) };
    }

    private static int[] ReadRadii(ConfigurationSection root, int layers)
    {
        if (root.Find(WindowKey) is not { ValueKind: JsonValueKind.Array } list)
        {
            return [.. Enumerable.Repeat(Radius(root, root.Size(WindowKey, DefaultWindow)), layers)];
        }

        if (list.GetArrayLength() != layers)
        {
            throw root.Refuse(WindowKey, list, $"one window for each of the encoder's {layers} layers");
        }

        return
        [
            .. list.EnumerateArray()
                .Select(window =>
                    window.ValueKind == JsonValueKind.Number && window.TryGetInt32(out int width)
                        ? Radius(root, width)
                        : throw root.Refuse(WindowKey, window, "even whole numbers above 0")
                ),
        ];
    }

    private static int Radius(ConfigurationSection root, int window) =>
        window > 0 && window % 2 == 0 ? window / 2 : throw root.Refuse(WindowKey, window, "an even number above 0");
}
