using System.Text;

namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>Lower case by Unicode's default mappings, whatever the culture.</summary>
internal static class Casing
{
    /// <summary>Each character by itself: the final sigma has no rule of its own here.</summary>
    public static string ToLower(string text)
    {
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', '\u007F') < 0)
            return text.ToLowerInvariant();
        var lower = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            // The one character whose lower case is two: a dotted capital I.
            if (rune.Value == 0x130)
                lower.Append("i\u0307");
            else
                lower.Append(Rune.ToLowerInvariant(rune).ToString());
        }
        return lower.ToString();
    }
}
