using System.Globalization;
using System.Text.Json;
using Seq2Seq.Inference.Tokenization.AddedTokens;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// What the small files of a folder say about its tokenizer: tokenizer_config.json first; special_tokens_map.json,
/// added_tokens.json and the added tokens of tokenizer.json only where that has no <c>added_tokens_decoder</c>
/// (<c>PreTrainedTokenizerBase._from_pretrained</c>).
/// </summary>
internal sealed class TokenizerSettings
{
    /// <summary>The order in which the reference adds them.</summary>
    private static readonly string[] SpecialTokenNames =
    [
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
    ];

    /// <summary>Of tokens that are only counted, far beyond what any model has.</summary>
    private const int MostTokens = 1 << 16;

    private readonly Dictionary<string, JsonElement> _values = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, AddedToken> _addedTokens = [];

    public TokenizerSettings(
        JsonElement? tokenizerConfig,
        JsonElement? specialTokensMap,
        JsonElement? addedTokens,
        TokenizerJson? tokenizerJson
    )
    {
        foreach (var property in Properties(tokenizerConfig))
            _values[property.Name] = property.Value;
        if (_values.Remove("additional_special_tokens", out var additional))
            _values.TryAdd("extra_special_tokens", additional);
        if (_values.TryGetValue("added_tokens_decoder", out var decoder))
        {
            foreach (var token in decoder.EnumerateObject())
                _addedTokens[int.Parse(token.Name, CultureInfo.InvariantCulture)] = ReadToken(
                    token.Value,
                    special: false
                );
            return;
        }
        foreach (var property in Properties(specialTokensMap))
        {
            // Of two names for the same thing the older one only counts where the newer is not there.
            if (property.Name != "additional_special_tokens")
                _values[property.Name] = property.Value;
            else if (!_values.ContainsKey("extra_special_tokens"))
                _values["additional_special_tokens"] = property.Value;
        }
        var special = NamedTokens().Concat(ExtraSpecialTokens ?? []).Select(token => token.Content);
        var specialContents = special.ToHashSet(StringComparer.Ordinal);
        foreach (var property in Properties(addedTokens))
        {
            var isSpecial = specialContents.Contains(property.Name);
            _addedTokens[property.Value.GetInt32()] = new AddedToken(property.Name)
            {
                Special = isSpecial,
                Normalized = !isSpecial,
            };
        }
        foreach (var (id, token) in tokenizerJson?.AddedTokens ?? [])
            _addedTokens[id] = token;
    }

    /// <summary>Tokens with ids that the files give.</summary>
    public IReadOnlyDictionary<int, AddedToken> AddedTokens => _addedTokens;

    /// <summary>Further special tokens; null where the files say nothing of them (a null in them counts as none).</summary>
    public IReadOnlyList<AddedToken>? ExtraSpecialTokens => List("extra_special_tokens");

    /// <summary>The same by its older name in special_tokens_map.json, which some classes read in their own way.</summary>
    public IReadOnlyList<AddedToken>? AdditionalSpecialTokens => List("additional_special_tokens");

    /// <summary>A special token by its name (<c>eos_token</c>); null where the files have none or null.</summary>
    public AddedToken? Token(string name) => Token(name, out _);

    /// <param name="isText">It is written as a plain text, and no added token of the files has its content.</param>
    public AddedToken? Token(string name, out bool isText)
    {
        isText = false;
        if (!_values.TryGetValue(name, out var value) || !IsToken(value))
            return null;
        var token = ReadToken(value, special: true);
        if (_addedTokens.Values.FirstOrDefault(added => added.Content == token.Content) is { } known)
            return known;
        isText = value.ValueKind == JsonValueKind.String;
        return token;
    }

    /// <summary>The name is there, with a token or with null.</summary>
    public bool Names(string name) => _values.ContainsKey(name);

    /// <summary>Special tokens of names beyond the usual ones (<c>x_sep_token</c>).</summary>
    public IEnumerable<AddedToken> ModelSpecificTokens() =>
        _values
            .Where(value =>
                value.Key.EndsWith("_token", StringComparison.Ordinal)
                && !SpecialTokenNames.Contains(value.Key)
                && IsToken(value.Value)
            )
            .Select(value => ReadToken(value.Value, special: true));

    public int? Int32(string name) =>
        _values.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Number ? ToInt32(value) : null;

    /// <summary>A number of tokens that are made up; null where the files say nothing of it.</summary>
    /// <exception cref="InvalidDataException">More than any vocabulary has.</exception>
    public int? Count(string name) =>
        Int32(name) is not > MostTokens
            ? Int32(name)
            : throw new InvalidDataException($"{name} is {_values[name]}; it can be {MostTokens} at most.");

    public bool? Boolean(string name) =>
        _values.TryGetValue(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : null;

    public string? String(string name) =>
        _values.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public IReadOnlyList<string>? Strings(string name) =>
        _values.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => item.GetString() ?? "")]
            : null;

    /// <summary>A token written as text or as an object with its flags.</summary>
    public static AddedToken ReadToken(JsonElement value, bool special)
    {
        if (value.ValueKind == JsonValueKind.String)
            return new AddedToken(value.GetString()!) { Special = special, Normalized = !special };
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("content", out var content))
            throw new InvalidDataException(
                $"A token is {value.ValueKind}; it can be a text or an object with content."
            );
        special |= Flag(value, "special") ?? false;
        return new AddedToken(content.GetString() ?? throw new InvalidDataException("A token's content is null."))
        {
            Special = special,
            Normalized = Flag(value, "normalized") ?? !special,
            SingleWord = Flag(value, "single_word") ?? false,
            StripLeft = Flag(value, "lstrip") ?? false,
            StripRight = Flag(value, "rstrip") ?? false,
        };
    }

    private static bool IsToken(JsonElement value) => value.ValueKind is JsonValueKind.String or JsonValueKind.Object;

    private IEnumerable<AddedToken> NamedTokens() =>
        SpecialTokenNames.Select(Token).OfType<AddedToken>().Concat(ModelSpecificTokens());

    private AddedToken[]? List(string name)
    {
        if (!_values.TryGetValue(name, out var tokens))
            return null;
        return tokens.ValueKind switch
        {
            JsonValueKind.Array => [.. tokens.EnumerateArray().Select(token => ReadToken(token, special: true))],
            JsonValueKind.Object =>
            [
                .. tokens.EnumerateObject().Select(token => ReadToken(token.Value, special: true)),
            ],
            _ => [],
        };
    }

    private static bool? Flag(JsonElement value, string name) =>
        value.TryGetProperty(name, out var flag) && flag.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? flag.GetBoolean()
            : null;

    // "No limit" is written as 1e30.
    private static int ToInt32(JsonElement value) =>
        value.TryGetInt32(out var number) ? number : (int)Math.Clamp(value.GetDouble(), int.MinValue, int.MaxValue);

    private static JsonElement.ObjectEnumerator Properties(JsonElement? value) =>
        value is { ValueKind: JsonValueKind.Object } ? value.Value.EnumerateObject() : default;
}
