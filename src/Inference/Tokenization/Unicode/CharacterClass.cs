using System.Globalization;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>The classes of characters that tokenizers ask for, by .NET's Unicode; see also <see cref="LibraryCharacters"/>.</summary>
internal static class CharacterClass
{
    /// <summary>Unicode's <c>\w</c>: alphabetic, marks, decimal digits, connectors, joiners.</summary>
    public static bool IsWord(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is <= UnicodeCategory.DecimalDigitNumber
                or UnicodeCategory.LetterNumber
                or UnicodeCategory.ConnectorPunctuation
        || rune.Value
            is 0x200C
                or 0x200D
                // Letters in circles and squares are alphabetic symbols.
                or (>= 0x24B6 and <= 0x24E9)
                or (>= 0x1F130 and <= 0x1F149)
                or (>= 0x1F150 and <= 0x1F169)
                or (>= 0x1F170 and <= 0x1F189);

    /// <summary>Control, format and private use; what has no meaning yet is none of these.</summary>
    public static bool IsOther(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.PrivateUse;

    public static bool IsNonspacingMark(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark;

    /// <summary>Categories N*.</summary>
    public static bool IsNumeric(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.DecimalDigitNumber
                or UnicodeCategory.LetterNumber
                or UnicodeCategory.OtherNumber;

    /// <summary>ASCII punctuation with its symbols ($ + &lt; …), and categories P*.</summary>
    public static bool IsPunctuation(Rune rune) =>
        rune.IsAscii
            ? char.IsAscii((char)rune.Value)
                && (char.IsPunctuation((char)rune.Value) || char.IsSymbol((char)rune.Value))
            : IsUnicodePunctuation(rune);

    public static bool IsUnicodePunctuation(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is >= UnicodeCategory.ConnectorPunctuation
                and <= UnicodeCategory.OtherPunctuation;

    /// <summary>CJK ideographs, as BERT's tokenizer in the tokenizers library bounds them.</summary>
    public static bool IsChinese(Rune rune) =>
        rune.Value
            is (>= 0x4E00 and <= 0x9FFF)
                or (>= 0x3400 and <= 0x4DBF)
                or (>= 0x20000 and <= 0x2A6DF)
                or (>= 0x2A700 and <= 0x2B73F)
                or (>= 0x2B740 and <= 0x2B81F)
                or (>= 0x2B920 and <= 0x2CEAF)
                or (>= 0xF900 and <= 0xFAFF)
                or (>= 0x2F800 and <= 0x2FA1F);
}
