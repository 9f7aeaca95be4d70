namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// Cuts sequences as <c>PythonBackend.truncate_sequences</c> does. Where the sequence to cut is too short, what is left
/// stays too long, without complaint.
/// </summary>
internal static class PythonTruncation
{
    public static void Remove(List<int> first, List<int>? second, int count, TruncationStrategy strategy, bool fromLeft)
    {
        switch (strategy)
        {
            case TruncationStrategy.OnlyFirst:
            case TruncationStrategy.LongestFirst when second is null:
                Cut(first, count, fromLeft);
                break;
            case TruncationStrategy.LongestFirst:
                // First the longer one down to the other, then both by turns.
                var toEqual = Math.Min(Math.Abs(second.Count - first.Count), count);
                var half = (count - toEqual) / 2;
                var otherHalf = count - toEqual - half;
                var isFirstLonger = first.Count > second.Count;
                Cut(first, isFirstLonger ? toEqual + half : half, fromLeft);
                Cut(second, isFirstLonger ? otherHalf : toEqual + otherHalf, fromLeft);
                break;
            case TruncationStrategy.OnlySecond when second is not null:
                Cut(second, count, fromLeft);
                break;
        }
    }

    private static void Cut(List<int> sequence, int count, bool fromLeft)
    {
        count = Math.Min(count, sequence.Count);
        sequence.RemoveRange(fromLeft ? 0 : sequence.Count - count, count);
    }
}
