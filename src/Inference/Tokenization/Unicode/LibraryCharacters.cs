using System.Collections.Frozen;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>
/// The classes of characters that the tokenizers library (0.23.3) asks for, as it has them: of Unicode 8 and 9, older than
/// .NET's, and a text's ids depend on that. From library-characters.txt, which make-library-characters.py makes.
/// </summary>
internal static class LibraryCharacters
{
    /// <summary>The first character that its Unicode did not have.</summary>
    private const char FirstLater = '\u0378';

    private static readonly Lazy<FrozenDictionary<string, CodePointSet>> Sets = new(() =>
        CodePointSet.ReadAll("library-characters.txt")
    );

    /// <summary>Control, format and private use.</summary>
    public static bool IsOther(Rune rune) => rune.IsAscii ? Rune.IsControl(rune) : Sets.Value["Other"].Contains(rune);

    public static bool IsMark(Rune rune) => !rune.IsAscii && Sets.Value["Mark"].Contains(rune);

    /// <summary>Marks without a width of their own, of those that do not decompose.</summary>
    public static bool IsNonspacingMark(Rune rune) => !rune.IsAscii && Sets.Value["Nonspacing"].Contains(rune);

    /// <summary>ASCII punctuation with its symbols ($ + &lt; …), and categories P*.</summary>
    public static bool IsPunctuation(Rune rune) => Sets.Value["Punctuation"].Contains(rune);

    /// <summary>Unicode's normalisation of 9.0: what came later combines with nothing and stays as it is.</summary>
    public static string Normalize(string text, NormalizationForm form)
    {
        if (text.AsSpan().IndexOfAnyInRange(FirstLater, char.MaxValue) < 0)
            return UnicodeForm.Apply(text, form);
        StringBuilder? result = null;
        var (start, position) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            var next = position + rune.Utf16SequenceLength;
            if (rune.Value >= FirstLater && Sets.Value["Later"].Contains(rune))
            {
                result ??= new StringBuilder(text.Length);
                result.Append(UnicodeForm.Apply(text[start..position], form)).Append(text, position, next - position);
                start = next;
            }
            position = next;
        }
        return result is null
            ? UnicodeForm.Apply(text, form)
            : result.Append(UnicodeForm.Apply(text[start..], form)).ToString();
    }
}
