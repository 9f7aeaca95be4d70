using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Seq2Seq.Inference.Generation;

/// <summary>Reads and writes <see cref="GenerationParameters"/> as a JSON object; an unknown name or a wrong type is an error that names it.</summary>
public static class GenerationParametersJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    private static readonly Dictionary<string, JsonPropertyInfo> Properties = Options
        .GetTypeInfo(typeof(GenerationParameters))
        .Properties.ToDictionary(property => property.Name, StringComparer.Ordinal);

    /// <summary>What a caller says of the texts: no configuration of a model sets these, even if it has keys of their names.</summary>
    private static readonly FrozenSet<string> OfTexts = FrozenSet.ToFrozenSet(
        ["src_lang", "tgt_lang", "long_lines", "max_source_length", "split_special_tokens"],
        StringComparer.Ordinal
    );

    /// <summary>The names that <see cref="Read"/> takes.</summary>
    public static IReadOnlyCollection<string> Names => Properties.Keys;

    /// <exception cref="GenerationParametersException">An unknown name, an option that is not supported, or a value of the wrong type.</exception>
    public static GenerationParameters Read(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new GenerationParametersException(
                "parameters",
                $"Generation parameters are a JSON object; found {Describe(element)}."
            );
        }

        GenerationParameters parameters = new();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null)
            {
                if (!Properties.ContainsKey(property.Name) && !UnsupportedParameters.IsKnown(property.Name))
                {
                    throw Unknown(property.Name);
                }

                continue;
            }

            if (Properties.TryGetValue(property.Name, out JsonPropertyInfo? info))
            {
                info.Set!(parameters, ReadValue(property.Name, property.Value, info.PropertyType));
            }
            else if (!UnsupportedParameters.IsKnown(property.Name))
            {
                throw Unknown(property.Name);
            }
            else if (!UnsupportedParameters.IsNeutral(property.Name, property.Value))
            {
                throw UnsupportedParameters.Refuse(property.Name);
            }
        }

        return parameters;
    }

    /// <summary>
    /// Reads a model's own generation_config.json or config.json: names that are none of ours belong to others and are
    /// left alone, but options of GenerationConfig that change the result and are not supported are reported.
    /// </summary>
    /// <param name="element">The file's object.</param>
    /// <param name="unsupported">Names of options that are set and not supported.</param>
    internal static GenerationParameters ReadModelDefaults(JsonElement element, List<string> unsupported)
    {
        GenerationParameters parameters = new();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null || OfTexts.Contains(property.Name))
            {
                continue;
            }

            if (Properties.TryGetValue(property.Name, out JsonPropertyInfo? info))
            {
                info.Set!(parameters, ReadValue(property.Name, property.Value, info.PropertyType));
            }
            else if (
                UnsupportedParameters.ChangesResult(property.Name)
                && !UnsupportedParameters.IsNeutral(property.Name, property.Value)
            )
            {
                unsupported.Add(property.Name);
            }
        }

        return parameters;
    }

    public static string Write(GenerationParameters parameters) => JsonSerializer.Serialize(parameters, Options);

    /// <summary><paramref name="parameters"/>, with <paramref name="defaults"/> where they are null.</summary>
    internal static GenerationParameters Overlay(GenerationParameters parameters, GenerationParameters defaults)
    {
        GenerationParameters overlaid = parameters with { };
        foreach (JsonPropertyInfo info in Properties.Values)
        {
            if (info.Get!(overlaid) is null)
            {
                info.Set!(overlaid, info.Get(defaults));
            }
        }

        return overlaid;
    }

    private static object? ReadValue(string name, JsonElement value, Type type)
    {
        try
        {
            return value.Deserialize(type, Options);
        }
        catch (JsonException exception)
        {
            throw new GenerationParametersException(
                name,
                $"'{name}' is {Describe(value)}; expected {Expectation(type, exception)}."
            );
        }
    }

    private static string Expectation(Type type, JsonException exception)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain switch
        {
            _ when plain == typeof(int) => "a whole number",
            _ when plain == typeof(double) => "a number",
            _ when plain == typeof(bool) => "true or false",
            _ when plain == typeof(EarlyStopping) => "true, false or \"never\"",
            _ when plain == typeof(string) => "a text",
            _ when plain == typeof(LongLinePolicy) => "\"error\", \"truncate\" or \"split\"",
            _ when plain == typeof(GlobalAttention) => "\"none\" or \"first_token\"",
            _ when plain == typeof(TokenIds) => "a token id or an array of token ids",
            _ when plain == typeof(IReadOnlyList<int>) => "an array of token ids",
            _ when plain == typeof(IReadOnlyList<IReadOnlyList<int>>) => "an array of arrays of token ids",
            _ when plain == typeof(IReadOnlyList<SequenceBias>) => "an array of pairs [[token ids], bias]",
            _ when plain == typeof(ExponentialDecay) => "a pair [start, factor]",
            _ => exception.Message,
        };
    }

    private static GenerationParametersException Unknown(string name) =>
        new(name, $"'{name}' is not a generation parameter; known are {string.Join(", ", Properties.Keys)}.");

    private static string Describe(JsonElement value)
    {
        const int Shown = 60;
        string text = value.GetRawText();
        return text.Length <= Shown ? text : string.Concat(text.AsSpan(0, Shown), "…");
    }
}
