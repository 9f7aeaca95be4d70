using System.Globalization;
using System.Text.Json;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// What a model's folder says about generation: generation_config.json, or where that is absent the older style,
/// generation options inside config.json. Special tokens that neither names come from the family.
/// </summary>
internal sealed record GenerationDefaults
{
    /// <summary>Sections of config.json that hold the decoder's options when the outer level does not.</summary>
    private static readonly string[] DecoderSections = ["decoder", "generator", "text_config"];

    public required GenerationParameters Parameters { get; init; }

    /// <summary>Options that the model sets and that are not supported: an error when it generates without them being overridden.</summary>
    public IReadOnlyList<string> Unsupported { get; init; } = [];

    /// <summary>
    /// SeamlessM4T's target languages and their tokens (<c>text_decoder_lang_to_code_id</c>), each of which is a prompt that the
    /// decoder is given, not a token that it generates; null for the others.
    /// </summary>
    public IReadOnlyDictionary<string, int>? LanguagePrompts { get; init; }

    /// <param name="configuration">The folder's configuration.</param>
    /// <param name="vocabularySize">Number of logits; special tokens must lie below.</param>
    /// <param name="family">Special tokens that the family's configuration class has as defaults; of its options transformers takes none that no file names.</param>
    /// <exception cref="ModelConfigurationException">A value has the wrong type or is out of range.</exception>
    public static GenerationDefaults Read(
        ModelConfiguration configuration,
        int vocabularySize,
        GenerationParameters family
    )
    {
        try
        {
            return Read(configuration, family, vocabularySize);
        }
        catch (GenerationParametersException exception)
        {
            throw new ModelConfigurationException(
                exception.Parameter,
                $"{configuration.Generation.File}: {exception.Message}"
            );
        }
    }

    private static GenerationDefaults Read(
        ModelConfiguration configuration,
        GenerationParameters family,
        int vocabularySize
    )
    {
        List<string> ignored = [];
        List<string> unsupported = [];
        GenerationParameters older = ReadOlderStyle(configuration.Root, ignored);
        GenerationParameters parameters = older;
        if (ReferenceEquals(configuration.Generation, configuration.Root))
        {
            unsupported = ignored;
        }
        else
        {
            parameters = GenerationParametersJson.ReadModelDefaults(configuration.Generation.Object, unsupported);
        }

        GenerationParameters special = GenerationParametersJson.Overlay(SpecialTokens(older), family);
        parameters = GenerationParametersJson.Overlay(
            parameters,
            // A start token that the file leaves open is its own bos_token_id before it is the configuration's.
            special with
            {
                DecoderStartTokenId = parameters.BosTokenId ?? special.DecoderStartTokenId ?? special.BosTokenId,
            }
        );
        GenerationParametersCheck.Validate(parameters);
        InVocabulary("decoder_start_token_id", parameters.DecoderStartTokenId, vocabularySize);
        foreach (int token in parameters.EosTokenId ?? [])
        {
            InVocabulary("eos_token_id", token, vocabularySize);
        }

        return new GenerationDefaults
        {
            Parameters = parameters,
            Unsupported = unsupported,
            LanguagePrompts = ReadLanguagePrompts(configuration.Generation, vocabularySize),
        };
    }

    private static Dictionary<string, int>? ReadLanguagePrompts(ConfigurationSection generation, int vocabularySize)
    {
        const string Name = "text_decoder_lang_to_code_id";
        if (generation.Find(Name) is not { ValueKind: JsonValueKind.Object } codes)
        {
            return null;
        }

        Dictionary<string, int> prompts = new(StringComparer.Ordinal);
        foreach (JsonProperty code in codes.EnumerateObject())
        {
            prompts[code.Name] =
                code.Value.ValueKind == JsonValueKind.Number && code.Value.TryGetInt32(out int token) && token >= 0
                    ? token
                    : throw new GenerationParametersException(Name, $"'{Name}' has no token id for {code.Name}.");
            InVocabulary(Name, prompts[code.Name], vocabularySize);
        }

        return prompts;
    }

    private static GenerationParameters ReadOlderStyle(ConfigurationSection configuration, List<string> unsupported)
    {
        GenerationParameters parameters = GenerationParametersJson.ReadModelDefaults(configuration.Object, unsupported);
        foreach (string name in DecoderSections)
        {
            if (configuration.Find(name) is { ValueKind: JsonValueKind.Object } section)
            {
                parameters = GenerationParametersJson.Overlay(
                    parameters,
                    GenerationParametersJson.ReadModelDefaults(section, unsupported)
                );
            }
        }

        return configuration.Find("force_bos_token_to_be_generated") is { ValueKind: JsonValueKind.True }
            ? parameters with
            {
                ForcedBosTokenId = parameters.BosTokenId,
            }
            : parameters;
    }

    private static GenerationParameters SpecialTokens(GenerationParameters parameters) =>
        new()
        {
            BosTokenId = parameters.BosTokenId,
            EosTokenId = parameters.EosTokenId,
            PadTokenId = parameters.PadTokenId,
            DecoderStartTokenId = parameters.DecoderStartTokenId,
        };

    private static void InVocabulary(string name, int? token, int vocabularySize)
    {
        if (token >= vocabularySize)
        {
            throw new GenerationParametersException(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{name}' is {token}; expected a token of the vocabulary, 0 to {vocabularySize - 1}."
                )
            );
        }
    }
}
