using System.Text;
using System.Text.Json;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>Builds the <c>pre_tokenizer</c> of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    private const int DefaultFixedLength = 5;

    public static IPreTokenizer? Read(JsonElement json)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
            return null;
        var type = json.GetProperty("type").GetString();
        return type switch
        {
            "Sequence" => new PreTokenizerSequence([
                .. json.GetProperty("pretokenizers").EnumerateArray().Select(part => Read(part)!),
            ]),
            "BertPreTokenizer" => new BertPreTokenizer(),
            "ByteLevel" => new ByteLevelPreTokenizer(
                Flag(json, "add_prefix_space") ?? true,
                Flag(json, "use_regex") ?? true
            ),
            "CharDelimiterSplit" or "Delimiter" => At(Character(json, "delimiter"), DelimiterBehavior.Removed),
            "Metaspace" => new MetaspacePreTokenizer(Replacement(json), Scheme(json), Flag(json, "split") ?? true),
            "Whitespace" => new WhitespacePreTokenizer(),
            "WhitespaceSplit" => new WhitespaceSplitPreTokenizer(),
            "Split" => new PatternPreTokenizer(
                TextPattern.Read(json.GetProperty("pattern")),
                Behavior(json) ?? throw new InvalidDataException("A Split has no behavior."),
                Flag(json, "invert") ?? false
            ),
            "Punctuation" => new PatternPreTokenizer(
                TextPattern.Characters(LibraryCharacters.IsPunctuation),
                Behavior(json) ?? DelimiterBehavior.Isolated
            ),
            "Digits" => new PatternPreTokenizer(
                TextPattern.Characters(CharacterClass.IsNumeric),
                Flag(json, "individual_digits") ?? false ? DelimiterBehavior.Isolated : DelimiterBehavior.Contiguous
            ),
            "UnicodeScripts" => new UnicodeScriptsPreTokenizer(),
            "FixedLength" => new FixedLengthPreTokenizer(Length(json)),
            _ => throw new InvalidDataException($"The pre_tokenizer {type} is not known."),
        };
    }

    /// <summary>A Metaspace's sign for a space, of a pre-tokenizer or a decoder.</summary>
    public static char Replacement(JsonElement json)
    {
        var text = json.GetProperty("replacement").GetString()!;
        return text.Length == 1
            ? text[0]
            : throw new InvalidDataException($"A Metaspace's replacement is '{text}'; it must be one character.");
    }

    /// <summary>Older files say add_prefix_space instead of prepend_scheme.</summary>
    public static PrependScheme Scheme(JsonElement json)
    {
        var scheme = json.TryGetProperty("prepend_scheme", out var value) ? value.GetString() : "always";
        if (Flag(json, "add_prefix_space") == false)
            return PrependScheme.Never;
        return scheme switch
        {
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            _ => throw new InvalidDataException($"A Metaspace's prepend_scheme is {scheme}."),
        };
    }

    private static PatternPreTokenizer At(Rune character, DelimiterBehavior behavior) =>
        new(TextPattern.Characters(rune => rune == character), behavior);

    private static Rune Character(JsonElement json, string name)
    {
        var text = json.GetProperty(name).GetString()!;
        Rune.DecodeFromUtf16(text, out var rune, out var length);
        return length == text.Length && length > 0
            ? rune
            : throw new InvalidDataException($"{name} is '{text}'; it must be one character.");
    }

    private static int Length(JsonElement json)
    {
        var length = json.TryGetProperty("length", out var value) ? value.GetInt32() : DefaultFixedLength;
        return length > 0 ? length : throw new InvalidDataException($"A FixedLength of {length}.");
    }

    private static DelimiterBehavior? Behavior(JsonElement json)
    {
        if (!json.TryGetProperty("behavior", out var value))
            return null;
        return Enum.TryParse<DelimiterBehavior>(value.GetString(), out var behavior)
            ? behavior
            : throw new InvalidDataException($"The behavior {value} is not known.");
    }

    private static bool? Flag(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : null;
}
