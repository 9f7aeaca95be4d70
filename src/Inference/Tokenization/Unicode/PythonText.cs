using System.Globalization;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>Text functions as Python has them, for the tokenizers that are defined by Python code.</summary>
internal static class PythonText
{
    /// <summary><c>str.isspace</c> of one character: .NET's white space and four separators of ASCII.</summary>
    public static bool IsSpace(char character) =>
        char.IsWhiteSpace(character) || character is >= '\u001C' and <= '\u001F';

    public static bool IsSpace(Rune rune) => rune.IsBmp && IsSpace((char)rune.Value);

    /// <summary><c>str.strip()</c>.</summary>
    public static ReadOnlySpan<char> Trim(ReadOnlySpan<char> text) => TrimEnd(TrimStart(text));

    public static string Trim(string text) =>
        Trim(text.AsSpan()) is var trimmed && trimmed.Length == text.Length ? text : trimmed.ToString();

    public static ReadOnlySpan<char> TrimStart(ReadOnlySpan<char> text)
    {
        var start = 0;
        while (start < text.Length && IsSpace(text[start]))
            start++;
        return text[start..];
    }

    public static ReadOnlySpan<char> TrimEnd(ReadOnlySpan<char> text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }

    /// <summary><c>str.split()</c>: what stands between white space.</summary>
    public static List<string> Split(string text)
    {
        var parts = new List<string>();
        for (var start = 0; start < text.Length; )
        {
            if (IsSpace(text[start]))
            {
                start++;
                continue;
            }
            var end = start + 1;
            while (end < text.Length && !IsSpace(text[end]))
                end++;
            parts.Add(text[start..end]);
            start = end;
        }
        return parts;
    }

    /// <summary><c>str.lower()</c>: like <see cref="Casing.ToLower"/>, with a final sigma at the end of words.</summary>
    public static string ToLower(string text)
    {
        var lower = Casing.ToLower(text);
        return text.Contains('\u03A3', StringComparison.Ordinal) ? WithFinalSigmas(text, lower) : lower;
    }

    private static string WithFinalSigmas(string text, string lower)
    {
        // A dotted capital I becomes two characters, so positions are counted along.
        var result = new StringBuilder(lower);
        var shift = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\u03A3' && IsFinal(text, i))
                result[i + shift] = '\u03C2';
            if (text[i] == '\u0130')
                shift++;
        }
        return result.ToString();
    }

    private static bool IsFinal(string text, int at)
    {
        var before = false;
        for (var i = at; i > 0; )
        {
            Rune.DecodeLastFromUtf16(text.AsSpan(0, i), out var rune, out var length);
            i -= length;
            if (IsCaseIgnorable(rune))
                continue;
            before = IsCased(rune);
            break;
        }
        if (!before)
            return false;
        for (var i = at + 1; i < text.Length; )
        {
            Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var length);
            i += length;
            if (!IsCaseIgnorable(rune))
                return !IsCased(rune);
        }
        return true;
    }

    private static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.UppercaseLetter
                or UnicodeCategory.LowercaseLetter
                or UnicodeCategory.TitlecaseLetter
        || rune.Value is (>= 0x2160 and <= 0x217F) or (>= 0x24B6 and <= 0x24E9);

    private static bool IsCaseIgnorable(Rune rune) =>
        rune.Value
            is '\''
                or '.'
                or ':'
                or '^'
                or '`'
                or 0xA8
                or 0xAD
                or 0xAF
                or 0xB4
                or 0xB7
                or 0xB8
                or 0x2018
                or 0x2019
        || Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.ModifierSymbol;
}
