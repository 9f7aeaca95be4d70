using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Jobs;

/// <summary>A shard, without its lines.</summary>
public sealed record ShardStatus
{
    public required long Id { get; init; }
    public required long FirstLine { get; init; }
    public required int Lines { get; init; }

    /// <summary><c>waiting</c>, <c>queued</c>, <c>running</c>, <c>done</c> or <c>cancelled</c>.</summary>
    public required string State { get; init; }
    public required int Attempts { get; init; }
    public string? Worker { get; init; }
    public string? Slot { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public DateTimeOffset? LeaseUntil { get; init; }
    public string? ErrorCode { get; init; }
    public string? ErrorMessage { get; init; }
}

/// <summary>A load of a model that served lines of a job.</summary>
/// <param name="Id">The load.</param>
/// <param name="ServedBy">The model that gave the results: another than the job's when the policy fell back to it.</param>
/// <param name="Worker">The worker process that holds the model.</param>
/// <param name="Slot">Such as <c>cpu:0</c>.</param>
/// <param name="Report">How it was loaded.</param>
/// <param name="Lines">Lines of the job that it served.</param>
public sealed record ServingLoad(long Id, string ServedBy, string Worker, string Slot, LoadReport Report, long Lines);
