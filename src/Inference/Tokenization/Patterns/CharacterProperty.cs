using System.Globalization;
using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Patterns;

/// <summary>The named properties of expressions: general categories, POSIX brackets, scripts.</summary>
internal static class CharacterProperty
{
    private static readonly Dictionary<string, UnicodeCategory[]> Categories = BuildCategories();

    /// <summary>What <c>\p{name}</c> or <c>[:name:]</c> means; null when nobody knows. Case, spaces, - and _ don't count.</summary>
    public static CharacterSet? Find(string name)
    {
        var key = Key(name);
        if (Categories.TryGetValue(key, out var categories))
            return new CharacterSet(rune => Array.IndexOf(categories, Rune.GetUnicodeCategory(rune)) >= 0);
        return key switch
        {
            "any" => new CharacterSet(_ => true),
            "ascii" => new CharacterSet(rune => rune.IsAscii),
            "assigned" => new CharacterSet(rune => Rune.GetUnicodeCategory(rune) != UnicodeCategory.OtherNotAssigned),
            "alpha" or "alphabetic" => new CharacterSet(IsAlphabetic),
            "alnum" => new CharacterSet(rune => IsAlphabetic(rune) || IsDigit(rune)),
            "blank" => new CharacterSet(rune =>
                rune.Value == '\t' || Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator
            ),
            "cntrl" => new CharacterSet(rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.Control),
            "digit" => new CharacterSet(IsDigit),
            "graph" => new CharacterSet(rune => !Rune.IsWhiteSpace(rune) && !IsInvisible(rune)),
            "print" => new CharacterSet(rune =>
                Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator
                || (!Rune.IsWhiteSpace(rune) && !IsInvisible(rune))
            ),
            "lower" or "lowercase" => new CharacterSet(rune =>
                Rune.GetUnicodeCategory(rune) == UnicodeCategory.LowercaseLetter
            ),
            "upper" or "uppercase" => new CharacterSet(rune =>
                Rune.GetUnicodeCategory(rune) == UnicodeCategory.UppercaseLetter
            ),
            "punct" => new CharacterSet(rune =>
                Rune.GetUnicodeCategory(rune)
                    is >= UnicodeCategory.ConnectorPunctuation
                        and <= UnicodeCategory.OtherSymbol
            ),
            "space" or "whitespace" => Space,
            "word" => Word,
            "xdigit" => HexDigit,
            _ => UnicodeScripts.Find(key) is { } script
                ? new CharacterSet(rune => UnicodeScripts.Of(rune) == script)
                : null,
        };
    }

    public static CharacterSet Space { get; } = new(Rune.IsWhiteSpace);
    public static CharacterSet Word { get; } = new(IsWord);
    public static CharacterSet Digit { get; } = new(IsDigit);
    public static CharacterSet HexDigit { get; } = new(rune => rune.IsAscii && char.IsAsciiHexDigit((char)rune.Value));

    public static string Key(string name) =>
        string.Concat(name.Where(character => character is not (' ' or '-' or '_'))).ToLowerInvariant();

    private static bool IsDigit(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber;

    // Oniguruma counts no joiners as parts of words, but Latin-1's raised digits and fractions.
    private static bool IsWord(Rune rune) =>
        rune.Value is 0xB2 or 0xB3 or 0xB9 or 0xBC or 0xBD or 0xBE
        || (rune.Value is not (0x200C or 0x200D) && CharacterClass.IsWord(rune));

    // Some marks are not alphabetic, which .NET does not tell.
    private static bool IsAlphabetic(Rune rune) =>
        CharacterClass.IsWord(rune)
        && Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.DecimalDigitNumber
                or UnicodeCategory.ConnectorPunctuation
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
            );

    private static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.Surrogate;

    private static Dictionary<string, UnicodeCategory[]> BuildCategories()
    {
        (string Short, string Long, UnicodeCategory Category)[] all =
        [
            ("lu", "uppercaseletter", UnicodeCategory.UppercaseLetter),
            ("ll", "lowercaseletter", UnicodeCategory.LowercaseLetter),
            ("lt", "titlecaseletter", UnicodeCategory.TitlecaseLetter),
            ("lm", "modifierletter", UnicodeCategory.ModifierLetter),
            ("lo", "otherletter", UnicodeCategory.OtherLetter),
            ("mn", "nonspacingmark", UnicodeCategory.NonSpacingMark),
            ("mc", "spacingmark", UnicodeCategory.SpacingCombiningMark),
            ("me", "enclosingmark", UnicodeCategory.EnclosingMark),
            ("nd", "decimalnumber", UnicodeCategory.DecimalDigitNumber),
            ("nl", "letternumber", UnicodeCategory.LetterNumber),
            ("no", "othernumber", UnicodeCategory.OtherNumber),
            ("pc", "connectorpunctuation", UnicodeCategory.ConnectorPunctuation),
            ("pd", "dashpunctuation", UnicodeCategory.DashPunctuation),
            ("ps", "openpunctuation", UnicodeCategory.OpenPunctuation),
            ("pe", "closepunctuation", UnicodeCategory.ClosePunctuation),
            ("pi", "initialpunctuation", UnicodeCategory.InitialQuotePunctuation),
            ("pf", "finalpunctuation", UnicodeCategory.FinalQuotePunctuation),
            ("po", "otherpunctuation", UnicodeCategory.OtherPunctuation),
            ("sm", "mathsymbol", UnicodeCategory.MathSymbol),
            ("sc", "currencysymbol", UnicodeCategory.CurrencySymbol),
            ("sk", "modifiersymbol", UnicodeCategory.ModifierSymbol),
            ("so", "othersymbol", UnicodeCategory.OtherSymbol),
            ("zs", "spaceseparator", UnicodeCategory.SpaceSeparator),
            ("zl", "lineseparator", UnicodeCategory.LineSeparator),
            ("zp", "paragraphseparator", UnicodeCategory.ParagraphSeparator),
            ("cc", "control", UnicodeCategory.Control),
            ("cf", "format", UnicodeCategory.Format),
            ("cs", "surrogate", UnicodeCategory.Surrogate),
            ("co", "privateuse", UnicodeCategory.PrivateUse),
            ("cn", "unassigned", UnicodeCategory.OtherNotAssigned),
        ];
        (string Short, string Long)[] groups =
        [
            ("l", "letter"),
            ("m", "mark"),
            ("n", "number"),
            ("p", "punctuation"),
            ("s", "symbol"),
            ("z", "separator"),
            ("c", "other"),
        ];
        var result = new Dictionary<string, UnicodeCategory[]>(StringComparer.Ordinal);
        foreach (var (shortName, longName, category) in all)
            result[shortName] = result[longName] = [category];
        foreach (var (shortName, longName) in groups)
        {
            var members = all.Where(entry => entry.Short[0] == shortName[0]).Select(entry => entry.Category).ToArray();
            result[shortName] = result[longName] = members;
        }
        return result;
    }
}
