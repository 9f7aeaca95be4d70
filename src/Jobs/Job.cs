using System.Text.Json.Serialization;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs;

/// <summary>A job as stored, with its progress.</summary>
public sealed record Job
{
    public required Guid Id { get; init; }
    public required string Model { get; init; }
    public string? Name { get; init; }
    public required JobState State { get; init; }
    public required int Priority { get; init; }
    public required GenerationParameters Parameters { get; init; }
    public required long Lines { get; init; }

    /// <summary>Lines with a result, errors included.</summary>
    public required long LinesDone { get; init; }

    /// <summary>Lines whose result is an error.</summary>
    public required long LinesFailed { get; init; }
    public required long Bytes { get; init; }
    public required int Shards { get; init; }
    public required int ShardsDone { get; init; }

    /// <summary>1, and one more each time that its failed lines were run again.</summary>
    public int Run { get; init; } = 1;
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>No line is computed earlier; null when the caller set no time.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>When the job fails if it has not finished; null when the caller set no time.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>When the job and its results are deleted; set when it finishes.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The API key that submitted it; null when it was none of the database's.</summary>
    public Guid? ApiKeyId { get; init; }

    /// <summary>Where it is said that the job has ended; null when nobody asked.</summary>
    public string? WebhookUrl { get; init; }

    /// <summary>Why the job failed, or why it is waiting (such as <c>model_load_failed</c>); null when all is well.</summary>
    public string? ErrorCode { get; init; }
    public string? ErrorMessage { get; init; }
}

/// <summary>receiving → queued → running → completed | failed | cancelled; queued and running jobs can be paused.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>Its lines are still arriving.</summary>
    [JsonStringEnumMemberName("receiving")]
    Receiving,

    [JsonStringEnumMemberName("queued")]
    Queued,

    [JsonStringEnumMemberName("running")]
    Running,

    /// <summary>No shard of it is begun until it is resumed; those that ran go on to their end.</summary>
    [JsonStringEnumMemberName("paused")]
    Paused,

    /// <summary>Every line has a result; some may be errors.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>The job as a whole can't be done; <see cref="Job.ErrorCode"/> says why.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>Cancelled; results that were there are kept.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,
}
