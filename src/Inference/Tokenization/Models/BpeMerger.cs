using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>Joins symbols pair by pair, the lowest rank first, the leftmost of equals.</summary>
internal readonly struct BpeMerger(Dictionary<(int Left, int Right), Merge> merges)
{
    // Up to here looking through all pairs at every step beats keeping them sorted.
    private const int MaxScanned = 48;

    public void Join(List<int> symbols)
    {
        if (symbols.Count <= MaxScanned)
            Scan(symbols);
        else
            JoinSorted(symbols);
    }

    private void Scan(List<int> symbols)
    {
        var span = CollectionsMarshal.AsSpan(symbols);
        var count = span.Length;
        Span<int> ranks = stackalloc int[MaxScanned];
        Span<int> joined = stackalloc int[MaxScanned];
        for (var i = 0; i + 1 < count; i++)
            Rank(span[i], span[i + 1], out ranks[i], out joined[i]);
        while (count > 1)
        {
            var best = 0;
            for (var i = 1; i + 1 < count; i++)
            {
                if (ranks[i] < ranks[best])
                    best = i;
            }
            if (ranks[best] == int.MaxValue)
                break;
            span[best] = joined[best];
            span[(best + 2)..count].CopyTo(span[(best + 1)..]);
            ranks[(best + 1)..(count - 1)].CopyTo(ranks[best..]);
            joined[(best + 1)..(count - 1)].CopyTo(joined[best..]);
            count--;
            if (best + 1 < count)
                Rank(span[best], span[best + 1], out ranks[best], out joined[best]);
            if (best > 0)
                Rank(span[best - 1], span[best], out ranks[best - 1], out joined[best - 1]);
        }
        symbols.RemoveRange(count, symbols.Count - count);
    }

    private void Rank(int left, int right, out int rank, out int joined)
    {
        if (merges.TryGetValue((left, right), out var merge))
            (rank, joined) = (merge.Rank, merge.Id);
        else
            (rank, joined) = (int.MaxValue, -1);
    }

    private void JoinSorted(List<int> symbols)
    {
        var span = CollectionsMarshal.AsSpan(symbols);
        var (previous, next) = (new int[span.Length], new int[span.Length]);
        var queue = new PriorityQueue<(int At, int Left, int Right, int Id), (int Rank, int At)>();
        for (var i = 0; i < span.Length; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1 < span.Length ? i + 1 : -1);
            if (next[i] >= 0)
                Offer(i, span[i], span[next[i]], queue);
        }
        while (queue.TryDequeue(out var pair, out _))
        {
            var at = pair.At;
            var right = next[at];
            // One of the two has been joined with another since.
            if (right < 0 || span[at] != pair.Left || span[right] != pair.Right)
                continue;
            span[at] = pair.Id;
            (span[right], next[at]) = (-1, next[right]);
            next[right] = -1;
            if (next[at] >= 0)
            {
                previous[next[at]] = at;
                Offer(at, span[at], span[next[at]], queue);
            }
            if (previous[at] >= 0)
                Offer(previous[at], span[previous[at]], span[at], queue);
        }
        symbols.RemoveAll(symbol => symbol < 0);
    }

    private void Offer(
        int at,
        int left,
        int right,
        PriorityQueue<(int At, int Left, int Right, int Id), (int Rank, int At)> queue
    )
    {
        if (merges.TryGetValue((left, right), out var merge))
            queue.Enqueue((at, left, right, merge.Id), (merge.Rank, at));
    }
}
