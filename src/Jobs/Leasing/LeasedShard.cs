namespace Seq2Seq.Jobs.Leasing;

/// <summary>A shard that this process may work on, as long as its token stands in the row.</summary>
internal sealed record LeasedShard
{
    public required Guid JobId { get; init; }
    public required long ShardId { get; init; }

    /// <summary>The fence: every write about the shard asks for it.</summary>
    public required Guid Token { get; init; }

    /// <summary>Number of this attempt, from 1.</summary>
    public required int Attempt { get; init; }
    public required string Model { get; init; }
    public required long FirstLine { get; init; }
    public required int Lines { get; init; }

    /// <summary>The lines as stored.</summary>
    public required byte[] Input { get; init; }

    /// <summary>The job's generation parameters as stored.</summary>
    public required string Parameters { get; init; }

    /// <summary>The trace that submitted the job; null when it was not recorded.</summary>
    public string? TraceParent { get; init; }
}
