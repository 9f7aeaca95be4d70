namespace Seq2Seq.Api.CommandLine.Running;

/// <summary>What this command reads of a job resource.</summary>
internal sealed record JobStatus
{
    public required Guid Id { get; init; }
    public required string State { get; init; }
    public required long Lines { get; init; }
    public required long LinesDone { get; init; }
    public required long LinesFailed { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public ServiceError? Error { get; init; }
}

/// <summary>Why a job failed or waits.</summary>
internal sealed record ServiceError(string Code, string Message);
