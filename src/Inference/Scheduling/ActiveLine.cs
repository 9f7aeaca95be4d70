using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Generation.Drafting;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// A line that is being decoded: its search, and where the keys and values of its source and of its rows lie. Each row is
/// a list of cache locations; reordering beams copies the lists that two rows continue, and nothing else.
/// </summary>
// Row r writes the token of step t at block[t / BlockLength] + r · BlockLength + t % BlockLength: a place is written once,
// so that a hypothesis may go on reading what its parents wrote.
internal sealed class ActiveLine : IDisposable
{
    private const int BlockLength = 16;

    private readonly KeyValueCache _cache;
    private readonly KeyValueCache _memory;
    private readonly List<int> _blocks = [];
    private readonly int _blockRows;
    private readonly int[][] _spare;
    private int[][] _locations;
    private int _length;

    public ActiveLine(LineRequest request, KeyValueCache cache, KeyValueCache memory, DraftTable? earlier)
    {
        Request = request;
        Search = request.CreateSearch(earlier);
        _cache = cache;
        _memory = memory;
        _blockRows = request.Target is null ? request.Settings.MaxRows : 1;
        _locations = new int[_blockRows][];
        _spare = new int[_blockRows][];
        for (int row = 0; row < _blockRows; row++)
        {
            _locations[row] = new int[BlockLength];
        }

        MemoryStart = memory.Take(request.Source.Count);
    }

    public LineRequest Request { get; }

    public SequenceSearch Search { get; }

    public int MemoryStart { get; }

    /// <summary>Tokens that the line feeds in the present step, each a row.</summary>
    public int FedTokens { get; private set; }

    /// <summary>Adds the line's rows to a step.</summary>
    public void AddTo(DecoderBatch batch)
    {
        FedTokens = 0;
        for (int row = 0; row < Search.Rows; row++)
        {
            ReadOnlySpan<int> tokens = Search.TokensOf(row);
            Place(row, _length + tokens.Length);
            batch.Add(tokens, _locations[row].AsSpan(0, _length + tokens.Length), MemoryStart, Request.Source.Count);
            FedTokens += tokens.Length;
        }
    }

    /// <summary>Takes the step's logits <c>[fed tokens, vocabulary]</c>.</summary>
    public void Advance(Span<float> logits)
    {
        Search.Advance(logits);
        // The last token has not been fed; of guessed ones that were, only those that proved right count.
        _length = Search.Length - 1;
        if (!Search.IsFinished && _blockRows > 1)
        {
            Reorder();
        }
    }

    public void Dispose()
    {
        _memory.GiveBack(MemoryStart, Request.Source.Count);
        foreach (int block in _blocks)
        {
            _cache.GiveBack(block, _blockRows * BlockLength);
        }

        _blocks.Clear();
    }

    /// <summary>Gives the tokens of a row that have no location theirs.</summary>
    private void Place(int row, int end)
    {
        while (_blocks.Count * BlockLength < end)
        {
            _blocks.Add(_cache.Take(_blockRows * BlockLength));
        }

        if (_locations[row].Length < end)
        {
            Array.Resize(ref _locations[row], Math.Max(end, 2 * _length));
        }

        for (int place = _length; place < end; place++)
        {
            _locations[row][place] = _blocks[place / BlockLength] + (row * BlockLength) + (place % BlockLength);
        }
    }

    /// <summary>The first row that continues a parent takes over its list; others get a copy.</summary>
    private void Reorder()
    {
        Span<int> takenBy = stackalloc int[_blockRows];
        takenBy.Fill(-1);
        int spares = 0;
        int[][] former = _locations;
        int[][] next = new int[_blockRows][];
        for (int row = 0; row < Search.Rows; row++)
        {
            int parent = Search.ParentOf(row);
            if (takenBy[parent] < 0)
            {
                takenBy[parent] = row;
                next[row] = former[parent];
            }
        }

        // Lists that no row continues are used again for the copies.
        for (int parent = 0; parent < _blockRows; parent++)
        {
            if (takenBy[parent] < 0)
            {
                _spare[spares++] = former[parent];
            }
        }

        for (int row = 0; row < _blockRows; row++)
        {
            if (next[row] is not null)
            {
                continue;
            }

            int[] copy = _spare[--spares];
            if (row < Search.Rows)
            {
                int[] parent = former[Search.ParentOf(row)];
                if (copy.Length < parent.Length)
                {
                    copy = new int[parent.Length];
                }

                parent.AsSpan(0, _length).CopyTo(copy);
            }

            next[row] = copy;
        }

        _locations = next;
    }
}
