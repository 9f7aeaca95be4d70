namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// The rows of one decoder step, of many lines: for each the token that it feeds, where the keys and values of its
/// sequence lie in the cache, and where those of its source. A sequence that feeds several tokens has as many rows, one
/// after the other, each of which sees those before it. Filled anew each step; its arrays only grow.
/// </summary>
internal sealed class DecoderBatch(KeyValueCache cache, KeyValueCache memory)
{
    private int[] _tokenIds = new int[64];
    private int[] _positions = new int[64];
    private int[] _memoryStarts = new int[64];
    private int[] _memoryLengths = new int[64];
    private int[] _locationStarts = new int[64];
    private int[] _locations = new int[1024];
    private int[] _wantedEnds = new int[64];
    private int[] _wanted = new int[64];
    private int _locationCount;
    private int _rowsThatAsk;

    /// <summary>Keys and values of the tokens decoded so far.</summary>
    public KeyValueCache Cache { get; } = cache;

    /// <summary>Keys and values of the source tokens.</summary>
    public KeyValueCache Memory { get; } = memory;

    public int Count { get; private set; }

    /// <summary><c>[rows]</c>: the token each row feeds.</summary>
    public ReadOnlySpan<int> TokenIds => _tokenIds.AsSpan(0, Count);

    /// <summary><c>[rows]</c>: place of that token in its sequence, the decoder start token at 0.</summary>
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, Count);

    /// <summary><c>[rows]</c>: first location of the row's source in <see cref="Memory"/>.</summary>
    public ReadOnlySpan<int> MemoryStarts => _memoryStarts.AsSpan(0, Count);

    /// <summary><c>[rows]</c>: tokens of the row's source.</summary>
    public ReadOnlySpan<int> MemoryLengths => _memoryLengths.AsSpan(0, Count);

    /// <summary>
    /// <c>[rows]</c>: where each row's part of <see cref="Locations"/> begins; it has as many as the row's position and one.
    /// Rows of one sequence share their part.
    /// </summary>
    public ReadOnlySpan<int> LocationStarts => _locationStarts.AsSpan(0, Count);

    /// <summary>Locations in <see cref="Cache"/> of each row's tokens; a row's last is where its new token goes.</summary>
    public ReadOnlySpan<int> Locations => _locations.AsSpan(0, _locationCount);

    /// <summary>Whether logits that nobody asks for may be left out.</summary>
    public bool IsScreened { get; init; } = true;

    /// <summary>
    /// Whether every row asks for its likeliest token alone: then logits of others may be left out (minus infinity), but for
    /// the row's <see cref="WantedTokens"/>.
    /// </summary>
    public bool AsksForLikeliestOnly => IsScreened && _rowsThatAsk == Count;

    public int LongestSequence { get; private set; }

    public int LongestMemory { get; private set; }

    public void Clear()
    {
        Count = 0;
        _locationCount = 0;
        _rowsThatAsk = 0;
        LongestSequence = 0;
        LongestMemory = 0;
    }

    /// <summary>Adds a sequence that feeds one token.</summary>
    public void Add(int tokenId, ReadOnlySpan<int> locations, int memoryStart, int memoryLength) =>
        Add([tokenId], locations, memoryStart, memoryLength);

    /// <param name="tokenIds">The tokens to feed, at least one.</param>
    /// <param name="locations">Locations of the sequence's tokens, the new ones' last.</param>
    /// <param name="memoryStart">First location of the source.</param>
    /// <param name="memoryLength">Tokens of the source.</param>
    public void Add(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> locations, int memoryStart, int memoryLength)
    {
        Reserve(Count + tokenIds.Length, _locationCount + locations.Length);
        locations.CopyTo(_locations.AsSpan(_locationCount));
        int firstPosition = locations.Length - tokenIds.Length;
        for (int i = 0; i < tokenIds.Length; i++)
        {
            _tokenIds[Count] = tokenIds[i];
            _positions[Count] = firstPosition + i;
            _memoryStarts[Count] = memoryStart;
            _memoryLengths[Count] = memoryLength;
            _locationStarts[Count] = _locationCount;
            Count++;
        }

        _locationCount += locations.Length;
        LongestSequence = Math.Max(LongestSequence, locations.Length);
        LongestMemory = Math.Max(LongestMemory, memoryLength);
    }

    /// <summary>Has the row added last ask for its likeliest token alone.</summary>
    /// <param name="wanted">
    /// Tokens whose logits it asks for besides, and of which none counts as the likeliest: those that the search changes.
    /// </param>
    public void AskForLikeliest(ReadOnlySpan<int> wanted)
    {
        if (_rowsThatAsk != Count - 1)
        {
            // Another row asks for all.
            return;
        }

        int start = WantedStart(_rowsThatAsk);
        int end = start + wanted.Length;
        if (end > _wanted.Length)
        {
            Array.Resize(ref _wanted, Math.Max(end, 2 * _wanted.Length));
        }

        wanted.CopyTo(_wanted.AsSpan(start));
        _wantedEnds[_rowsThatAsk++] = end;
    }

    /// <summary>The tokens that a row asks for besides its likeliest.</summary>
    public ReadOnlySpan<int> WantedTokens(int row) => _wanted.AsSpan(WantedStart(row).._wantedEnds[row]);

    private int WantedStart(int row) => row == 0 ? 0 : _wantedEnds[row - 1];

    private void Reserve(int rows, int locations)
    {
        if (rows > _tokenIds.Length)
        {
            int capacity = Math.Max(rows, 2 * _tokenIds.Length);
            Array.Resize(ref _tokenIds, capacity);
            Array.Resize(ref _positions, capacity);
            Array.Resize(ref _memoryStarts, capacity);
            Array.Resize(ref _memoryLengths, capacity);
            Array.Resize(ref _locationStarts, capacity);
            Array.Resize(ref _wantedEnds, capacity);
        }

        if (locations > _locations.Length)
        {
            Array.Resize(ref _locations, Math.Max(locations, 2 * _locations.Length));
        }
    }
}
