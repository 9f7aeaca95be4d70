using System.Text;

namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>Small repairs of text before encoding and after decoding.</summary>
internal static class TextCleaning
{
    /// <summary>Half surrogate pairs, which no encoding has bytes for, become U+FFFD.</summary>
    public static string WellFormed(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        var runes = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            runes.Append(rune.ToString());
        return runes.ToString();
    }

    /// <summary>Hugging Face's <c>clean_up_tokenization</c>, in its order.</summary>
    public static string CleanUp(string text) =>
        new StringBuilder(text)
            .Replace(" .", ".")
            .Replace(" ?", "?")
            .Replace(" !", "!")
            .Replace(" ,", ",")
            .Replace(" ' ", "'")
            .Replace(" n't", "n't")
            .Replace(" 'm", "'m")
            .Replace(" 's", "'s")
            .Replace(" 've", "'ve")
            .Replace(" 're", "'re")
            .ToString();
}
