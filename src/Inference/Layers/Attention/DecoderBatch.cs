namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// The rows of one decoder step, of many lines: for each the token that it feeds, where the keys and values of its
/// sequence lie in the cache, and where those of its source. Filled anew each step; its arrays only grow.
/// </summary>
internal sealed class DecoderBatch(KeyValueCache cache, KeyValueCache memory)
{
    private int[] _tokenIds = new int[64];
    private int[] _positions = new int[64];
    private int[] _memoryStarts = new int[64];
    private int[] _memoryLengths = new int[64];
    private int[] _locationStarts = new int[65];
    private int[] _locations = new int[1024];

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

    /// <summary><c>[rows + 1]</c>: where each row's part of <see cref="Locations"/> begins.</summary>
    public ReadOnlySpan<int> LocationStarts => _locationStarts.AsSpan(0, Count + 1);

    /// <summary>Locations in <see cref="Cache"/> of each row's tokens; a row's last is where its new token goes.</summary>
    public ReadOnlySpan<int> Locations => _locations.AsSpan(0, _locationStarts[Count]);

    public int LongestSequence { get; private set; }

    public int LongestMemory { get; private set; }

    public void Clear()
    {
        Count = 0;
        LongestSequence = 0;
        LongestMemory = 0;
    }

    /// <param name="tokenId">The token to feed.</param>
    /// <param name="locations">Locations of the row's tokens, the new one's last.</param>
    /// <param name="memoryStart">First location of the source.</param>
    /// <param name="memoryLength">Tokens of the source.</param>
    public void Add(int tokenId, ReadOnlySpan<int> locations, int memoryStart, int memoryLength)
    {
        if (Count == _tokenIds.Length)
        {
            Array.Resize(ref _tokenIds, 2 * Count);
            Array.Resize(ref _positions, 2 * Count);
            Array.Resize(ref _memoryStarts, 2 * Count);
            Array.Resize(ref _memoryLengths, 2 * Count);
            Array.Resize(ref _locationStarts, (2 * Count) + 1);
        }

        int start = _locationStarts[Count];
        if (start + locations.Length > _locations.Length)
        {
            Array.Resize(ref _locations, Math.Max(2 * _locations.Length, start + locations.Length));
        }

        locations.CopyTo(_locations.AsSpan(start));
        _tokenIds[Count] = tokenId;
        _positions[Count] = locations.Length - 1;
        _memoryStarts[Count] = memoryStart;
        _memoryLengths[Count] = memoryLength;
        _locationStarts[++Count] = start + locations.Length;
        LongestSequence = Math.Max(LongestSequence, locations.Length);
        LongestMemory = Math.Max(LongestMemory, memoryLength);
    }
}
