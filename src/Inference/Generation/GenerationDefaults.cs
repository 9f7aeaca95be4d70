using System.Text.Json;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// What a model's folder says about generation: generation_config.json, or where that is absent or unreadable the older
/// style, generation options inside config.json. Special tokens that neither names come from the family.
/// </summary>
internal sealed record GenerationDefaults
{
    private static readonly JsonDocumentOptions Lenient = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>Sections of config.json that hold the decoder's options when the outer level does not.</summary>
    private static readonly string[] DecoderSections = ["decoder", "generator", "text_config"];

    public required GenerationParameters Parameters { get; init; }

    /// <summary>Options that the model sets and that are not supported: an error when it generates without them being overridden.</summary>
    public IReadOnlyList<string> Unsupported { get; init; } = [];

    /// <param name="folder">The model's folder.</param>
    /// <param name="configuration">The object of config.json.</param>
    /// <param name="family">Special tokens that the family's configuration class has as defaults.</param>
    /// <exception cref="GenerationParametersException">A value has the wrong type or is out of range.</exception>
    public static GenerationDefaults Read(string folder, JsonElement configuration, GenerationParameters family)
    {
        List<string> unsupported = [];
        List<string> ignored = [];
        GenerationParameters fromConfiguration = ReadConfiguration(configuration, ignored);
        GenerationParameters parameters;
        using (JsonDocument? file = Parse(Path.Combine(folder, "generation_config.json")))
        {
            if (file is null)
            {
                parameters = fromConfiguration;
                unsupported = ignored;
            }
            else
            {
                parameters = GenerationParametersJson.ReadModelDefaults(file.RootElement, unsupported);
            }
        }

        GenerationParameters special = GenerationParametersJson.Overlay(SpecialTokens(fromConfiguration), family);
        parameters = GenerationParametersJson.Overlay(
            parameters,
            // A start token that the file leaves open is its own bos_token_id before it is the configuration's.
            special with
            {
                DecoderStartTokenId = parameters.BosTokenId ?? special.DecoderStartTokenId ?? special.BosTokenId,
            }
        );
        GenerationParametersCheck.Validate(parameters);
        return new GenerationDefaults { Parameters = parameters, Unsupported = unsupported };
    }

    private static GenerationParameters ReadConfiguration(JsonElement configuration, List<string> unsupported)
    {
        GenerationParameters parameters = GenerationParametersJson.ReadModelDefaults(configuration, unsupported);
        foreach (string name in DecoderSections)
        {
            if (
                configuration.TryGetProperty(name, out JsonElement section)
                && section.ValueKind == JsonValueKind.Object
            )
            {
                parameters = GenerationParametersJson.Overlay(
                    parameters,
                    GenerationParametersJson.ReadModelDefaults(section, unsupported)
                );
            }
        }

        bool forced =
            configuration.TryGetProperty("force_bos_token_to_be_generated", out JsonElement force)
            && force.ValueKind == JsonValueKind.True;
        return forced ? parameters with { ForcedBosTokenId = parameters.BosTokenId } : parameters;
    }

    private static GenerationParameters SpecialTokens(GenerationParameters parameters) =>
        new()
        {
            BosTokenId = parameters.BosTokenId,
            EosTokenId = parameters.EosTokenId,
            PadTokenId = parameters.PadTokenId,
            DecoderStartTokenId = parameters.DecoderStartTokenId,
        };

    private static JsonDocument? Parse(string path)
    {
        try
        {
            JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path), Lenient);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
