using System.Globalization;

namespace Seq2Seq.Inference.LongLines;

/// <summary>
/// Splits a line that is too long into pieces that are not: as many whole sentences as fit; a sentence that does not fit into
/// as many whole words as fit; a word that does not fit between its graphemes, and one of those between its code points.
/// Nothing but white space is lost, and that is kept as the gaps between the pieces.
/// </summary>
internal sealed class LineSplitter
{
    // From the coarse to the fine: each gives the ends of its units in a text.
    private static readonly Func<string, List<int>>[] Units =
    [
        SentenceBoundaries.Ends,
        WordEnds,
        GraphemeEnds,
        CodePointEnds,
    ];

    private readonly Func<string, IReadOnlyList<int>?> _encode;
    private readonly List<SourcePiece> _pieces = [];

    private LineSplitter(Func<string, IReadOnlyList<int>?> encode) => _encode = encode;

    /// <param name="line">The line; white space around it is dropped.</param>
    /// <param name="encode">The tokens of a piece, or null when it has too many.</param>
    /// <returns>The pieces, or null when there is no room for even one code point.</returns>
    public static IReadOnlyList<SourcePiece>? Split(string line, Func<string, IReadOnlyList<int>?> encode)
    {
        LineSplitter splitter = new(encode);
        return splitter.TryAdd(line.Trim(), units: 0) ? splitter._pieces : null;
    }

    private bool TryAdd(string text, int units)
    {
        if (units == Units.Length)
        {
            return false;
        }

        List<int> ends = Units[units](text);
        int unit = 0;
        for (int start = SkipGap(text, 0); start < text.Length; start = SkipGap(text, start))
        {
            while (ends[unit] <= start)
            {
                unit++;
            }

            if (LongestRun(text, start, ends, unit) is var (end, tokens))
            {
                _pieces.Add(new SourcePiece(tokens));
                start = end;
            }
            else if (TryAdd(text[start..ends[unit]], units + 1))
            {
                start = ends[unit];
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The white space from here on becomes the gap behind the last piece.</summary>
    /// <returns>Where it ends.</returns>
    private int SkipGap(string text, int start)
    {
        int end = start;
        while (end < text.Length && char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        if (end > start && _pieces.Count > 0)
        {
            _pieces[^1] = _pieces[^1] with { Gap = _pieces[^1].Gap + text[start..end] };
        }

        return end;
    }

    /// <summary>The most units from here on that fit together: doubling, then halving what lies between.</summary>
    /// <returns>Where they end, without the white space behind them, and their tokens; null when not even one fits.</returns>
    private (int End, IReadOnlyList<int> Tokens)? LongestRun(string text, int start, List<int> ends, int unit)
    {
        (int, IReadOnlyList<int>)? longest = null;
        var (fitting, tooMany, left) = (0, 1, ends.Count - unit);
        while (tooMany <= left && TryRun(tooMany))
        {
            (fitting, tooMany) = (tooMany, 2 * tooMany);
        }

        tooMany = Math.Min(tooMany, left + 1);
        while (tooMany - fitting > 1)
        {
            int middle = (fitting + tooMany) / 2;
            if (TryRun(middle))
            {
                fitting = middle;
            }
            else
            {
                tooMany = middle;
            }
        }

        return longest;

        bool TryRun(int count)
        {
            string run = text[start..ends[unit + count - 1]].TrimEnd();
            if (_encode(run) is not { } tokens)
            {
                return false;
            }

            longest = (start + run.Length, tokens);
            return true;
        }
    }

    private static List<int> WordEnds(string text)
    {
        List<int> ends = [];
        for (int i = 1; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i - 1]) && !char.IsWhiteSpace(text[i]))
            {
                ends.Add(i);
            }
        }

        ends.Add(text.Length);
        return ends;
    }

    private static List<int> GraphemeEnds(string text) =>
        [.. StringInfo.ParseCombiningCharacters(text).Skip(1), text.Length];

    private static List<int> CodePointEnds(string text)
    {
        List<int> ends = [];
        for (int i = 0; i < text.Length; )
        {
            i += char.IsSurrogatePair(text, i) ? 2 : 1;
            ends.Add(i);
        }

        return ends;
    }
}
