using System.Globalization;
using System.Text.Json;

namespace Seq2Seq.Inference.Loading;

/// <summary>
/// Typed reads of one JSON object of a configuration file. A value of the wrong kind or out of range is refused with the
/// file, the key, what was found and what was expected; nothing is guessed.
/// </summary>
internal sealed class ConfigurationSection(string file, JsonElement root)
{
    private const int MaxPrintedLength = 60;

    /// <summary>The file, for messages.</summary>
    public string File { get; } = file;

    /// <summary>The whole object.</summary>
    public JsonElement Object => root;

    /// <summary>An empty object: every key is absent.</summary>
    public static ConfigurationSection Empty(string file) => new(file, JsonElement.Parse("{}"));

    /// <summary>Whether the key is there with a value other than null.</summary>
    public bool Has(string key) => Find(key) is { ValueKind: not JsonValueKind.Null };

    /// <summary>The raw value; null when the key is absent.</summary>
    public JsonElement? Find(string key) => root.TryGetProperty(key, out JsonElement value) ? value : null;

    /// <summary>A size that must be there: a whole number from 1 to 2^31 − 1.</summary>
    public int Size(string key) =>
        Find(key) is { } value
            ? WholeNumber(key, value, 1, int.MaxValue)
            : throw new ModelConfigurationException(
                key,
                $"{File}: '{key}' is absent; expected a whole number from 1 to {int.MaxValue}."
            );

    /// <summary>A size, or <paramref name="defaultValue"/> when the key is absent.</summary>
    public int Size(string key, int defaultValue) => Integer(key, defaultValue, 1, int.MaxValue);

    /// <summary>A whole number in a range, or <paramref name="defaultValue"/> when the key is absent.</summary>
    public int Integer(string key, int defaultValue, int minimum, int maximum) =>
        Find(key) is { } value ? WholeNumber(key, value, minimum, maximum) : defaultValue;

    /// <summary>A whole number in a range; null when the key is absent or null.</summary>
    public int? OptionalInteger(string key, int minimum, int maximum) =>
        Find(key) is { ValueKind: not JsonValueKind.Null } value ? WholeNumber(key, value, minimum, maximum) : null;

    /// <summary>The id of a token in the vocabulary; null when the key is absent or null.</summary>
    public int? TokenId(string key, int vocabularySize) => OptionalInteger(key, 0, vocabularySize - 1);

    /// <summary>One or more ids of tokens in the vocabulary (<c>eos_token_id</c> may be a list); empty when the key is absent or null.</summary>
    public IReadOnlyList<int> TokenIds(string key, int vocabularySize) =>
        Find(key) switch
        {
            null or { ValueKind: JsonValueKind.Null } => [],
            { ValueKind: JsonValueKind.Array } list =>
            [
                .. list.EnumerateArray().Select(item => WholeNumber(key, item, 0, vocabularySize - 1)),
            ],
            { } value => [WholeNumber(key, value, 0, vocabularySize - 1)],
        };

    /// <summary>A finite number of at least <paramref name="minimum"/>, or <paramref name="defaultValue"/> when the key is absent.</summary>
    public double Number(string key, double defaultValue, double minimum = double.MinValue)
    {
        if (Find(key) is not { } value)
        {
            return defaultValue;
        }

        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out double number)
            && double.IsFinite(number)
            && number >= minimum
            ? number
            : throw Refuse(
                key,
                value,
                minimum == double.MinValue
                    ? "a finite number"
                    : string.Create(CultureInfo.InvariantCulture, $"a finite number of at least {minimum}")
            );
    }

    /// <summary>True or false, or <paramref name="defaultValue"/> when the key is absent or null.</summary>
    public bool Flag(string key, bool defaultValue) =>
        Find(key) switch
        {
            null or { ValueKind: JsonValueKind.Null } => defaultValue,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            { } value => throw Refuse(key, value, "true or false"),
        };

    /// <summary>A text, or <paramref name="defaultValue"/> when the key is absent.</summary>
    public string Text(string key, string defaultValue) =>
        Find(key) switch
        {
            null => defaultValue,
            { ValueKind: JsonValueKind.String } value => value.GetString()!,
            { } value => throw Refuse(key, value, "a text"),
        };

    /// <summary>A text; null when the key is absent or null.</summary>
    public string? OptionalText(string key) => Has(key) ? Text(key, "") : null;

    /// <summary>What one of a set of names stands for.</summary>
    /// <param name="key">The key.</param>
    /// <param name="defaultName">The name when the key is absent.</param>
    /// <param name="choices">The names that are known.</param>
    public T Choice<T>(string key, string defaultName, IReadOnlyDictionary<string, T> choices)
    {
        string name = Text(key, defaultName);
        return choices.TryGetValue(name, out T? choice)
            ? choice
            : throw Refuse(
                key,
                $"\"{name}\"",
                $"one of {string.Join(", ", choices.Keys.Order(StringComparer.Ordinal))}"
            );
    }

    /// <summary>The refusal of a value that was read but can't be used.</summary>
    public ModelConfigurationException Refuse(string key, object found, string expected)
    {
        string text = found is JsonElement element ? element.GetRawText() : $"{found}";
        text = text.Length > MaxPrintedLength ? $"{text[..MaxPrintedLength]}…" : text;
        return new ModelConfigurationException(key, $"{File}: '{key}' is {text}; expected {expected}.");
    }

    // Some tools write sizes as 8.0.
    private int WholeNumber(string key, JsonElement value, int minimum, int maximum) =>
        value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out double number)
        && number == Math.Truncate(number)
        && number >= minimum
        && number <= maximum
            ? (int)number
            : throw Refuse(
                key,
                value,
                string.Create(CultureInfo.InvariantCulture, $"a whole number from {minimum} to {maximum}")
            );
}
