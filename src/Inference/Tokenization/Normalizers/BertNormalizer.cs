using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>BERT's basic cleaning (<c>BertNormalizer</c>): controls out, spaces around Chinese, accents off, lower case.</summary>
internal sealed class BertNormalizer(bool cleanText, bool handleChinese, bool stripAccents, bool lowercase)
    : INormalizer
{
    public void Normalize(NormalizedText text)
    {
        if (cleanText)
        {
            text.Filter(rune => rune.Value is not (0 or 0xFFFD) && !IsControl(rune));
            text.Map(MakeSpaces);
        }
        if (handleChinese)
            text.Map(SpaceChinese);
        if (stripAccents)
        {
            text.Map(whole => LibraryCharacters.Normalize(whole, NormalizationForm.FormD));
            text.Filter(rune => !LibraryCharacters.IsNonspacingMark(rune));
        }
        if (lowercase)
            text.Map(Casing.ToLower);
    }

    private static bool IsControl(Rune rune) =>
        rune.Value is not ('\t' or '\n' or '\r') && LibraryCharacters.IsOther(rune);

    private static string MakeSpaces(string text) =>
        text.Any(IsOddSpace) ? string.Create(text.Length, text, static (to, from) => Fill(from, to)) : text;

    private static void Fill(string from, Span<char> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = char.IsWhiteSpace(from[i]) ? ' ' : from[i];
    }

    private static bool IsOddSpace(char value) => value != ' ' && char.IsWhiteSpace(value);

    private static string SpaceChinese(string text)
    {
        if (!text.EnumerateRunes().Any(CharacterClass.IsChinese))
            return text;
        var spaced = new StringBuilder(text.Length * 2);
        foreach (var rune in text.EnumerateRunes())
        {
            if (CharacterClass.IsChinese(rune))
                spaced.Append(' ').Append(rune.ToString()).Append(' ');
            else
                spaced.Append(rune.ToString());
        }
        return spaced.ToString();
    }
}
