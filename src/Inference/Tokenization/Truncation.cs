namespace Seq2Seq.Inference.Tokenization;

/// <summary>Cuts one or two sequences to a length, as <c>truncate_encodings</c> of the tokenizers library does.</summary>
internal static class Truncation
{
    /// <exception cref="EncodeException">An unknown strategy.</exception>
    public static TruncationStrategy Parse(string? name) =>
        name switch
        {
            null or "do_not_truncate" or "false" => TruncationStrategy.DoNotTruncate,
            "longest_first" or "true" => TruncationStrategy.LongestFirst,
            "only_first" => TruncationStrategy.OnlyFirst,
            "only_second" => TruncationStrategy.OnlySecond,
            _ => throw new EncodeException(
                EncodeException.TruncationUnknown,
                $"truncation is '{name}'; it can be longest_first, only_first, only_second or do_not_truncate."
            ),
        };

    /// <param name="maxLength">What both together may have, special tokens not counted.</param>
    /// <exception cref="EncodeException">The sequence to cut is shorter than what must go.</exception>
    public static void Apply(
        List<int> first,
        List<int>? second,
        int maxLength,
        TruncationStrategy strategy,
        bool fromLeft = false
    )
    {
        var total = first.Count + (second?.Count ?? 0);
        if (strategy == TruncationStrategy.DoNotTruncate || total <= maxLength)
            return;
        if (maxLength <= 0)
        {
            first.Clear();
            second?.Clear();
            return;
        }
        if (strategy == TruncationStrategy.LongestFirst)
        {
            var (firstLength, secondLength) = Share(first.Count, second?.Count ?? 0, maxLength);
            Cut(first, firstLength, fromLeft);
            if (second is not null)
                Cut(second, secondLength, fromLeft);
            return;
        }
        var toCut = strategy == TruncationStrategy.OnlyFirst ? first : second;
        var left = (toCut?.Count ?? 0) - (total - maxLength);
        if (toCut is null || left <= 0)
        {
            throw new EncodeException(
                EncodeException.TruncationImpossible,
                $"{total - maxLength} tokens must go, but the sequence to cut has only {toCut?.Count ?? 0}."
            );
        }
        Cut(toCut, left, fromLeft);
    }

    /// <summary>The shorter one stays whole if it can; else both get a half, the longer one the odd token.</summary>
    private static (int First, int Second) Share(int first, int second, int maxLength)
    {
        var shorter = Math.Min(first, second);
        var longer = shorter > maxLength ? shorter : Math.Max(shorter, maxLength - shorter);
        if (shorter + longer > maxLength)
        {
            shorter = maxLength / 2;
            longer = shorter + maxLength % 2;
        }
        return first > second ? (longer, shorter) : (shorter, longer);
    }

    private static void Cut(List<int> sequence, int length, bool fromLeft)
    {
        if (length < sequence.Count)
            sequence.RemoveRange(fromLeft ? 0 : length, sequence.Count - length);
    }
}
