using System.Buffers;

namespace Seq2Seq.Jobs.Sharding;

/// <summary>
/// Cuts a job's lines into shards of consecutive lines. Where it cuts depends on the lines and the limits alone, so that the
/// same input gives the same shards. The first shards are small and double, so that results begin early and a small job
/// spreads over the slots too; a line that is longer than a shard may be stands alone.
/// </summary>
/// <param name="maxLines">Most lines in a shard.</param>
/// <param name="maxBytes">Most bytes of stored lines in a shard of more than one line.</param>
internal sealed class ShardCutter(int maxLines, int maxBytes)
{
    // Four doublings to the full size: 62, 124, 248, 496, 992, 1000 … lines.
    private const int FirstFraction = 16;

    private readonly ArrayBufferWriter<byte> _input = new();
    private int _limit = Math.Max(1, maxLines / FirstFraction);
    private long _firstLine;
    private int _lines;

    /// <summary>Lines added so far.</summary>
    public long Lines => _firstLine + _lines;

    /// <summary>Adds a line in its stored form (<see cref="ShardInput"/>).</summary>
    /// <returns>The shard before it, when this line opens the next one.</returns>
    public CutShard? Add(ReadOnlySpan<byte> storedLine)
    {
        bool full = _lines == _limit || (_lines > 0 && _input.WrittenCount + storedLine.Length > maxBytes);
        var shard = full ? Cut() : null;
        _input.Write(storedLine);
        _lines++;
        return shard;
    }

    /// <summary>The last shard; null when there were no lines at all.</summary>
    public CutShard? Finish() => _lines == 0 ? null : Cut();

    private CutShard Cut()
    {
        var shard = new CutShard(_firstLine, _lines, _input.WrittenSpan.ToArray());
        _firstLine += _lines;
        _lines = 0;
        _input.ResetWrittenCount();
        _limit = (int)Math.Min(maxLines, 2L * _limit);
        return shard;
    }
}

/// <summary>A shard before it is stored.</summary>
/// <param name="FirstLine">Number of its first line in the job.</param>
/// <param name="Lines">How many lines it has.</param>
/// <param name="Input">The lines in their stored form.</param>
internal sealed record CutShard(long FirstLine, int Lines, byte[] Input);
