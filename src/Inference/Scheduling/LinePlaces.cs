using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// The places in the cache that one line writes its tokens to: taken in blocks, handed out one by one, and given back with
/// the line. A place is written once while any row reads it; what only losing beams wrote is used again.
/// </summary>
/// <param name="cache">Where the places are.</param>
/// <param name="rows">Rows that the line has at most.</param>
internal sealed class LinePlaces(KeyValueCache cache, int rows) : IDisposable
{
    private const int TokensPerBlock = 16;

    private readonly List<int> _blocks = [];
    private readonly Stack<int> _free = new();

    // With a few places only, the next steps would look for more each time.
    private int Least => BlockLength(rows) / 4;

    /// <summary>Places of a block.</summary>
    public static int BlockLength(int rows) => rows * TokensPerBlock;

    /// <summary>Places that the line may have to take from the cache so that so many can be handed out.</summary>
    public int DemandFor(int count)
    {
        int missing = Math.Max(count, Least) - _free.Count;
        return _free.Count >= count ? 0 : (missing + BlockLength(rows) - 1) / BlockLength(rows) * BlockLength(rows);
    }

    /// <summary>Makes sure that so many places can be handed out.</summary>
    /// <param name="count">Places.</param>
    /// <param name="sequences">The location lists of the line's rows.</param>
    /// <param name="length">Locations in each list.</param>
    public void Reserve(int count, ReadOnlySpan<int[]> sequences, int length)
    {
        if (_free.Count >= count)
        {
            return;
        }

        if (rows > 1)
        {
            Reclaim(sequences, length);
        }

        while (_free.Count < Math.Max(count, Least))
        {
            int start = cache.Take(BlockLength(rows));
            _blocks.Add(start);
            Free(start);
        }
    }

    public int Next() => _free.Pop();

    public void Dispose()
    {
        foreach (int block in _blocks)
        {
            cache.GiveBack(block, BlockLength(rows));
        }

        _blocks.Clear();
        _free.Clear();
    }

    private void Reclaim(ReadOnlySpan<int[]> sequences, int length)
    {
        HashSet<int> read = [];
        foreach (int[] sequence in sequences)
        {
            foreach (int place in sequence.AsSpan(0, length))
            {
                read.Add(place);
            }
        }

        _free.Clear();
        foreach (int block in _blocks)
        {
            Free(block, read);
        }
    }

    // The lowest is handed out first.
    private void Free(int block, HashSet<int>? except = null)
    {
        for (int place = block + BlockLength(rows) - 1; place >= block; place--)
        {
            if (except is null || !except.Contains(place))
            {
                _free.Push(place);
            }
        }
    }
}
