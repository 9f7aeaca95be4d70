namespace Seq2Seq.Inference.Tokenization.Patterns;

/// <summary>Splits text at a pattern's matches (<c>NormalizedString::split</c> of the tokenizers library).</summary>
internal sealed class PatternSplitter(ITextPattern pattern, DelimiterBehavior behavior, bool invert = false)
{
    /// <summary>Adds the parts that are not empty.</summary>
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        var spans = new List<PatternSpan>();
        pattern.Find(piece.Span, spans);
        if (invert)
        {
            for (var i = 0; i < spans.Count; i++)
                spans[i] = spans[i] with { IsMatch = !spans[i].IsMatch };
        }
        for (var i = 0; i < spans.Count; )
        {
            if (behavior == DelimiterBehavior.Removed && spans[i].IsMatch)
            {
                i++;
                continue;
            }
            var next = i + Together(spans, i);
            var (start, last) = (spans[i].Start, spans[next - 1]);
            if (last.Start + last.Length > start)
                output.Add(piece.Slice(start, last.Start + last.Length - start));
            i = next;
        }
    }

    /// <summary>How many of the spans from here on stay together.</summary>
    private int Together(List<PatternSpan> spans, int first) =>
        behavior switch
        {
            DelimiterBehavior.Contiguous => Run(spans, first),
            DelimiterBehavior.MergedWithPrevious => !spans[first].IsMatch && MatchAt(spans, first + 1) ? 2 : 1,
            DelimiterBehavior.MergedWithNext => spans[first].IsMatch && TextAt(spans, first + 1) ? 2 : 1,
            _ => 1,
        };

    private static int Run(List<PatternSpan> spans, int first)
    {
        var next = first + 1;
        while (next < spans.Count && spans[next].IsMatch == spans[first].IsMatch)
            next++;
        return next - first;
    }

    private static bool MatchAt(List<PatternSpan> spans, int index) => index < spans.Count && spans[index].IsMatch;

    private static bool TextAt(List<PatternSpan> spans, int index) => index < spans.Count && !spans[index].IsMatch;
}
