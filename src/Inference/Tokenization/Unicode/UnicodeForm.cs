using System.Buffers;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>
/// Unicode normalisation of any text. .NET refuses texts with U+FFFE or half surrogate pairs in them, which combine with
/// nothing: the stretches between them are normalised.
/// </summary>
internal static class UnicodeForm
{
    private static readonly SearchValues<char> Refusable = SearchValues.Create([
        '\uFFFE',
        .. Enumerable.Range(0xD800, 0x800).Select(value => (char)value),
    ]);

    public static string Apply(string text, NormalizationForm form)
    {
        if (!text.AsSpan().ContainsAny(Refusable))
            return text.IsNormalized(form) ? text : text.Normalize(form);
        var result = new StringBuilder(text.Length);
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
            {
                i++;
                continue;
            }
            if (text[i] != '\uFFFE' && !char.IsSurrogate(text[i]))
                continue;
            result.Append(text[start..i].Normalize(form)).Append(text[i]);
            start = i + 1;
        }
        return result.Append(text[start..].Normalize(form)).ToString();
    }
}
