using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Jobs;

/// <summary>Finds, lists and cancels jobs.</summary>
public sealed class JobDirectory
{
    public Task<Job?> FindAsync(Guid id, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Newest first; <see cref="JobFilter.Before"/> continues after the last one seen.</summary>
    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<ShardStatus>> ListShardsAsync(
        Guid jobId,
        int limit,
        long afterFirstLine,
        CancellationToken cancellationToken
    ) => throw new NotSupportedException();

    /// <summary>The loads that served a job's results, with their reports.</summary>
    public Task<IReadOnlyList<ServingLoad>> ListLoadsAsync(Guid jobId, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Cancels a job that has not finished; results that are there are kept. Cancelling twice equals once.</summary>
    /// <returns>The job as it is afterwards; null when there is none of that id.</returns>
    public Task<Job?> CancelAsync(Guid id, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Completes when the job has finished, or when <paramref name="timeout"/> has passed.</summary>
    public Task<Job?> WaitAsync(Guid id, TimeSpan timeout, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}

public sealed record JobFilter
{
    public JobState? State { get; init; }
    public string? Model { get; init; }

    /// <summary>Part of a name, or an id.</summary>
    public string? Search { get; init; }

    /// <summary>Only jobs listed after this one.</summary>
    public Guid? Before { get; init; }
    public int Limit { get; init; } = 50;
}

/// <summary>A shard, without its lines.</summary>
public sealed record ShardStatus
{
    public required long Id { get; init; }
    public required long FirstLine { get; init; }
    public required int Lines { get; init; }
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
/// <param name="ServedBy">The model that gave the results: another than the job's when the policy fell back to it.</param>
public sealed record ServingLoad(long Id, string ServedBy, string Worker, string Slot, LoadReport Report, long Lines);
