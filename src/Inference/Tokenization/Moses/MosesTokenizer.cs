using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Moses;

/// <summary>
/// Moses' word tokenizer (tokenizer.perl by way of sacremoses 0.2) with aggressive hyphens and escapes: punctuation stands
/// apart, periods of abbreviations and decimal commas stay, <c>a-b</c> is <c>a @-@ b</c>.
/// </summary>
internal sealed class MosesTokenizer(string language)
{
    private readonly MosesCharacters _characters = new(language);
    private readonly MosesPrefixes _prefixes = MosesPrefixes.Of(language);

    public List<string> Tokenize(string text)
    {
        var runes = Spread(text);
        runes = SplitHyphens(runes);
        runes = MarkDots(runes);
        runes = Insert(runes, IsNoNumber, ',', null, " , ");
        runes = Insert(runes, null, ',', IsNoNumber, " , ");
        runes = InsertAtEnd(runes, MosesCharacters.IsNumber, ',', " , ");
        runes = SplitApostrophes(runes);
        var words = SplitPeriods(PythonText.Split(ToText(runes)));
        var joined = string.Join(' ', PythonText.Split(string.Join(' ', words)));
        joined = SplitDotApostrophe(joined);
        return PythonText.Split(Escape(RestoreDots(joined)));
    }

    /// <summary>One space for white space, no ASCII controls, spaces around everything that is no word.</summary>
    private List<Rune> Spread(string text)
    {
        var spaced = new List<Rune>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!PythonText.IsSpace(rune))
                spaced.Add(rune);
            else if (spaced.Count == 0 || spaced[^1].Value != ' ')
                spaced.Add(new Rune(' '));
        }
        spaced.RemoveAll(rune => rune.Value < ' ');
        var result = new List<Rune>(spaced.Count * 2);
        foreach (var rune in Trim(spaced))
        {
            if (rune.Value is ' ' or '.' or '\'' or '`' or ',' or '-' || _characters.IsAlphanumeric(rune))
                result.Add(rune);
            else
                result.AddRange([new Rune(' '), rune, new Rune(' ')]);
        }
        return result;
    }

    private List<Rune> SplitHyphens(List<Rune> text)
    {
        var result = new List<Rune>(text.Count + 16);
        for (var i = 0; i < text.Count; i++)
        {
            var splits =
                text[i].Value == '-'
                && i > 0
                && i + 1 < text.Count
                && _characters.IsAlphanumeric(text[i - 1])
                && _characters.IsAlphanumeric(text[i + 1]);
            if (splits)
                result.AddRange(" @-@ ".EnumerateRunes());
            else
                result.Add(text[i]);
        }
        return result;
    }

    /// <summary>A run of dots becomes a word, so that nothing splits it.</summary>
    private static List<Rune> MarkDots(List<Rune> text)
    {
        var result = new List<Rune>(text.Count);
        for (var i = 0; i < text.Count; )
        {
            var end = i;
            while (end < text.Count && text[end].Value == '.')
                end++;
            if (end - i < 2)
            {
                result.Add(text[i++]);
                continue;
            }
            var mark = string.Concat(Enumerable.Repeat("DOT", end - i));
            result.AddRange($" {mark}MULTI{(end < text.Count ? " " : "")}".EnumerateRunes());
            i = end;
        }
        return result;
    }

    private static string RestoreDots(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; )
        {
            var end = i;
            while (text.AsSpan(end).StartsWith("DOT"))
                end += 3;
            if (end > i && text.AsSpan(end).StartsWith("MULTI"))
            {
                result.Append('.', (end - i) / 3);
                i = end + 5;
            }
            else
            {
                result.Append(text[i++]);
            }
        }
        return result.ToString();
    }

    private List<Rune> SplitApostrophes(List<Rune> text)
    {
        bool IsAlpha(Rune rune) => _characters.IsAlpha(rune);
        bool IsNoAlpha(Rune rune) => !_characters.IsAlpha(rune);
        switch (language)
        {
            case "en":
                text = Insert(text, IsNoAlpha, '\'', IsNoAlpha, " ' ");
                text = Insert(text, rune => IsNoAlpha(rune) && IsNoNumber(rune), '\'', IsAlpha, " ' ");
                text = Insert(text, IsAlpha, '\'', IsNoAlpha, " ' ");
                text = Insert(text, IsAlpha, '\'', IsAlpha, " '");
                return Insert(text, MosesCharacters.IsNumber, '\'', rune => rune.Value == 's', " '");
            case "fr" or "it":
                text = Insert(text, IsNoAlpha, '\'', IsNoAlpha, " ' ");
                text = Insert(text, IsNoAlpha, '\'', IsAlpha, " ' ");
                text = Insert(text, IsAlpha, '\'', IsNoAlpha, " ' ");
                return Insert(text, IsAlpha, '\'', IsAlpha, "' ");
            default:
                return Insert(text, null, '\'', null, " ' ");
        }
    }

    /// <summary>A period ends a sentence unless its word is an abbreviation or goes on in lower case.</summary>
    private List<string> SplitPeriods(List<string> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i].Length < 2 || words[i][^1] != '.')
                continue;
            var word = words[i][..^1];
            var next = i + 1 < words.Count ? words[i + 1] : null;
            var stays =
                (word.Contains('.', StringComparison.Ordinal) && word.EnumerateRunes().Any(_characters.IsAlpha))
                || _prefixes.Contains(word)
                || (next is not null && MosesCharacters.IsLower(Rune.GetRuneAt(next, 0)))
                || (next is not null && char.IsAsciiDigit(next[0]) && _prefixes.ContainsBeforeNumbers(word));
            if (!stays)
                words[i] = word + " .";
        }
        return words;
    }

    private static string SplitDotApostrophe(string text)
    {
        var end = text.EndsWith(' ') ? text[..^1] : text;
        return end.EndsWith(".'", StringComparison.Ordinal) ? end[..^2] + " . ' " : text;
    }

    private static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("|", "&#124;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("'", "&apos;", StringComparison.Ordinal)
            .Replace("\"", "&quot;", StringComparison.Ordinal)
            .Replace("[", "&#91;", StringComparison.Ordinal)
            .Replace("]", "&#93;", StringComparison.Ordinal);

    private static bool IsNoNumber(Rune rune) => !MosesCharacters.IsNumber(rune);

    /// <summary>
    /// Puts a text in the place of a sign between certain neighbours, from left to right; a neighbour behind one sign is
    /// none before the next.
    /// </summary>
    private static List<Rune> Insert(
        List<Rune> text,
        Func<Rune, bool>? before,
        char sign,
        Func<Rune, bool>? behind,
        string inserted
    )
    {
        var result = new List<Rune>(text.Count + 8);
        var free = 0;
        for (var i = 0; i < text.Count; i++)
        {
            var matches =
                text[i].Value == sign
                && (before is null || (i > free && before(text[i - 1])))
                && (behind is null || (i + 1 < text.Count && behind(text[i + 1])));
            if (!matches)
            {
                result.Add(text[i]);
                continue;
            }
            result.AddRange(inserted.EnumerateRunes());
            if (behind is not null)
                result.Add(text[++i]);
            free = i + 1;
        }
        return result;
    }

    private static List<Rune> InsertAtEnd(List<Rune> text, Func<Rune, bool> before, char sign, string inserted)
    {
        if (text.Count < 2 || text[^1].Value != sign || !before(text[^2]))
            return text;
        return [.. text[..^1], .. inserted.EnumerateRunes()];
    }

    private static List<Rune> Trim(List<Rune> text)
    {
        var (start, end) = (0, text.Count);
        while (start < end && text[start].Value == ' ')
            start++;
        while (end > start && text[end - 1].Value == ' ')
            end--;
        return text[start..end];
    }

    private static string ToText(List<Rune> runes)
    {
        var text = new StringBuilder(runes.Count);
        foreach (var rune in runes)
            text.Append(rune.ToString());
        return text.ToString();
    }
}
