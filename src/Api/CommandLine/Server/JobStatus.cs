namespace Seq2Seq.Api.CommandLine.Server;

/// <summary>What the commands read of a job resource.</summary>
internal sealed record JobStatus
{
    public required Guid Id { get; init; }
    public string? Name { get; init; }
    public string? Model { get; init; }
    public required string State { get; init; }
    public int Priority { get; init; }
    public required long Lines { get; init; }
    public required long LinesDone { get; init; }
    public required long LinesFailed { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public ServiceError? Error { get; init; }
}

/// <summary>Why a job failed or waits.</summary>
internal sealed record ServiceError(string Code, string Message);

/// <summary>A page of the list of jobs.</summary>
internal sealed record JobStatusPage(IReadOnlyList<JobStatus> Jobs, Guid? Next);
