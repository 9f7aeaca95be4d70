using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Moses;

/// <summary>Moses' way back from words to text (detokenizer.perl by way of sacremoses 0.2).</summary>
internal sealed class MosesDetokenizer(string language)
{
    private static readonly (int First, int Last)[] Cjk =
    [
        (0x1100, 0x11FF),
        (0x2E80, 0xA4CF),
        (0xA840, 0xA87F),
        (0xAC00, 0xD7AF),
        (0xF900, 0xFAFF),
        (0xFE30, 0xFE4F),
        (0xFF65, 0xFFDC),
        (0x17000, 0x18AFF),
        (0x1B000, 0x1B12F),
        (0x1B170, 0x1B2FF),
        (0x20000, 0x2FFFF),
    ];

    public string Detokenize(IEnumerable<string> tokens)
    {
        var text = $" {string.Join(' ', tokens)} ".Replace(" @-@ ", "-", StringComparison.Ordinal);
        var words = PythonText.Split(Unescape(text));
        var quotes = new Dictionary<string, int>(StringComparer.Ordinal);
        var result = new StringBuilder();
        var space = " ";
        for (var i = 0; i < words.Count; i++)
        {
            var (joinsLeft, joinsRight) = Place(words, i, quotes);
            if (!joinsLeft)
                result.Append(space);
            else if (language == "fr" && words[i] is "?" or "!" or ":" or ";" or "\\" or "%")
                result.Append(' ');
            result.Append(words[i]);
            space = joinsRight ? "" : " ";
        }
        return PythonText.Trim(OneSpace(result.ToString()));
    }

    /// <summary>Whether a word stands close to the one before it, and whether the next one stands close to it.</summary>
    private (bool Left, bool Right) Place(List<string> words, int at, Dictionary<string, int> quotes)
    {
        var word = words[at];
        var previous = at > 0 ? words[at - 1] : null;
        if (language != "ko" && IsCjk(First(word)))
            return (previous is not null && IsCjk(Last(previous)), false);
        if (word.EnumerateRunes().All(IsOpening))
            return (false, true);
        if (word.All(character => ",.?!:;\\%}])".Contains(character, StringComparison.Ordinal)))
            return (true, false);
        if (language == "en" && at > 0 && IsEnglishContraction(word))
            return (true, false);
        if (language == "cs" && at > 1 && IsCzechDecimal(words, word))
            return (true, false);
        if (language is "fr" or "it" or "ga" && at + 1 < words.Count && IsElision(word, words[at + 1]))
            return (false, true);
        if (word.All(character => "'\"„“`".Contains(character, StringComparison.Ordinal)))
            return PlaceQuote(word, previous, quotes);
        return (false, false);
    }

    private (bool Left, bool Right) PlaceQuote(string word, string? previous, Dictionary<string, int> quotes)
    {
        var quote = word.All(character => "„“”".Contains(character, StringComparison.Ordinal)) ? "\"" : word;
        if (language == "cs" && word is "„" or "“")
            quotes[quote] = word == "„" ? 0 : 1;
        var count = quotes.GetValueOrDefault(quote);
        if (count % 2 != 0)
        {
            quotes[quote] = count + 1;
            return (true, false);
        }
        // The Jones' house.
        if (language == "en" && word == "'" && previous is not null && previous.EndsWith('s'))
            return (true, false);
        quotes[quote] = count + 1;
        return (false, true);
    }

    private static bool IsOpening(Rune rune) =>
        rune.Value is '(' or '[' or '{' or 0xBF or 0xA1 || MosesCharacters.IsCurrency(rune);

    private static bool IsEnglishContraction(string word) =>
        word.Length > 1 && word[0] == '\'' && MosesCharacters.IsPlainAlpha(Rune.GetRuneAt(word, 1));

    // sacremoses looks at the last two words of the text here, not at those before this one.
    private static bool IsCzechDecimal(List<string> words, string word) =>
        words[^2].All(char.IsAsciiDigit) && words[^1] is "." or "," && word.All(char.IsAsciiDigit);

    private static bool IsElision(string word, string next) =>
        word.Length > 1
        && word[^1] == '\''
        && MosesCharacters.IsPlainAlpha(Last(word[..^1]))
        && MosesCharacters.IsPlainAlpha(First(next));

    private static bool IsCjk(Rune rune) =>
        Array.Exists(Cjk, range => rune.Value >= range.First && rune.Value <= range.Last);

    private static Rune First(string word) => Rune.GetRuneAt(word, 0);

    private static Rune Last(string word)
    {
        Rune.DecodeLastFromUtf16(word, out var rune, out _);
        return rune;
    }

    private static string OneSpace(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (character != ' ' || result.Length == 0 || result[^1] != ' ')
                result.Append(character);
        }
        return result.ToString();
    }

    private static string Unescape(string text) =>
        text.Replace("&bar;", "|", StringComparison.Ordinal)
            .Replace("&#124;", "|", StringComparison.Ordinal)
            .Replace("&lt;", "<", StringComparison.Ordinal)
            .Replace("&gt;", ">", StringComparison.Ordinal)
            .Replace("&bra;", "[", StringComparison.Ordinal)
            .Replace("&ket;", "]", StringComparison.Ordinal)
            .Replace("&quot;", "\"", StringComparison.Ordinal)
            .Replace("&apos;", "'", StringComparison.Ordinal)
            .Replace("&#91;", "[", StringComparison.Ordinal)
            .Replace("&#93;", "]", StringComparison.Ordinal)
            .Replace("&amp;", "&", StringComparison.Ordinal);
}
