using System.Runtime.InteropServices;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Generation.Drafting;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// A line that is being decoded: its search, and where the keys and values of its source and of its rows lie. Each row is
/// a list of cache locations; reordering beams copies the lists that two rows continue, and nothing else.
/// </summary>
internal sealed class ActiveLine : IDisposable
{
    private const int FirstLocations = 16;

    private readonly KeyValueCache _memory;
    private readonly LinePlaces _places;
    private readonly int _rows;
    private readonly int[][] _spare;
    private readonly List<int> _wanted = [];
    private int[][] _locations;
    private int _length;

    // Tokens that have a place: a single row's wrong guesses leave theirs to what comes instead.
    private int _placed;

    public ActiveLine(LineRequest request, KeyValueCache cache, KeyValueCache memory, DraftTable? earlier)
    {
        Request = request;
        Search = request.CreateSearch(earlier);
        _memory = memory;
        _rows = request.MaxSequences;
        _places = new LinePlaces(cache, _rows);
        _locations = new int[_rows][];
        _spare = new int[_rows][];
        for (int row = 0; row < _rows; row++)
        {
            _locations[row] = new int[FirstLocations];
        }

        MemoryStart = memory.Take(request.Source.Count);
    }

    public LineRequest Request { get; }

    public SequenceSearch Search { get; }

    public int MemoryStart { get; }

    /// <summary>Tokens that the line feeds in the present step, each a row.</summary>
    public int FedTokens { get; private set; }

    /// <summary>Places that the next step may have to take from the cache.</summary>
    public int Demand
    {
        get
        {
            int tokens = Request.Settings.Drafting ? Drafter.LongestDraft : 0;
            for (int row = 0; row < Search.Rows; row++)
            {
                tokens += Search.TokensOf(row).Length;
            }

            return _places.DemandFor(tokens);
        }
    }

    /// <summary>Adds the line's rows to a step.</summary>
    public void AddTo(DecoderBatch batch)
    {
        FedTokens = 0;
        for (int row = 0; row < Search.Rows; row++)
        {
            FedTokens += Search.TokensOf(row).Length;
        }

        _places.Reserve(FedTokens - (_placed - _length), _locations.AsSpan(0, Search.Rows), _length);
        for (int row = 0; row < Search.Rows; row++)
        {
            ReadOnlySpan<int> tokens = Search.TokensOf(row);
            int end = _length + tokens.Length;
            if (_locations[row].Length < end)
            {
                Array.Resize(ref _locations[row], Math.Max(end, 2 * _length));
            }

            for (int token = _placed; token < end; token++)
            {
                _locations[row][token] = _places.Next();
            }

            batch.Add(tokens, _locations[row].AsSpan(0, end), MemoryStart, Request.Source.Count);
        }

        _wanted.Clear();
        if (Search.NeedsOnlyLikeliest(_wanted))
        {
            batch.AskForLikeliest(CollectionsMarshal.AsSpan(_wanted));
        }

        if (_rows == 1)
        {
            _placed = Math.Max(_placed, _length + FedTokens);
        }
    }

    /// <summary>Takes the step's logits <c>[fed tokens, vocabulary]</c>.</summary>
    public void Advance(Span<float> logits)
    {
        Search.Advance(logits);
        // The last token has not been fed; of guessed ones that were, only those that proved right count.
        _length = Search.Length - 1;
        _placed = Math.Max(_length, _rows == 1 ? _placed : 0);
        if (!Search.IsFinished && _rows > 1)
        {
            Reorder();
        }
    }

    public void Dispose()
    {
        _memory.GiveBack(MemoryStart, Request.Source.Count);
        _places.Dispose();
    }

    /// <summary>The first row that continues a parent takes over its list; others get a copy.</summary>
    private void Reorder()
    {
        Span<int> takenBy = stackalloc int[_rows];
        takenBy.Fill(-1);
        int spares = 0;
        int[][] former = _locations;
        int[][] next = new int[_rows][];
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
        for (int parent = 0; parent < _rows; parent++)
        {
            if (takenBy[parent] < 0)
            {
                _spare[spares++] = former[parent];
            }
        }

        for (int row = 0; row < _rows; row++)
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
