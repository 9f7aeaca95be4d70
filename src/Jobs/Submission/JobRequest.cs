using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Webhooks;

namespace Seq2Seq.Jobs.Submission;

/// <summary>What a caller asks for: which model, with which generation parameters, at which priority.</summary>
public sealed record JobRequest
{
    /// <summary>The priority that is served first.</summary>
    public const int FirstPriority = 0;

    /// <summary>The priority that is served last.</summary>
    public const int LastPriority = 9;

    /// <summary>Name of a configured model.</summary>
    public required string Model { get; init; }

    /// <summary>A name for people, shown in lists; at most 200 characters.</summary>
    public string? Name { get; init; }

    public GenerationParameters Parameters { get; init; } = new();

    /// <summary>0 (first) to 9 (last).</summary>
    public int Priority { get; init; } = 5;

    /// <summary>The API key that submits: its limits hold, and idempotency keys are its own. Null means none of the database's.</summary>
    public Guid? ApiKeyId { get; init; }

    /// <summary>Repeating a submit with the same key gives the same job; the same key with another request is refused.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Where to say that the job has ended.</summary>
    public WebhookTarget? Webhook { get; init; }

    /// <summary>No line is computed earlier; null means at once.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>If the job has not finished by then, it fails and keeps the results it has; null means never.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>How long results are kept after the job has finished; null means the configured time.</summary>
    public TimeSpan? Retention { get; init; }
}

/// <summary>One line of a job's input. A line that can't be read carries its error, which becomes its result.</summary>
public sealed record SourceLine
{
    /// <summary>Most bytes of one line's text. A longer line becomes an error, so that memory stays bounded.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Most characters of a custom id.</summary>
    public const int MaxCustomIdLength = 1024;

    /// <summary>The caller's own id of the line, given back with its result.</summary>
    public string? CustomId { get; init; }

    public string? Text { get; init; }

    /// <summary>Token ids instead of text.</summary>
    public IReadOnlyList<int>? InputIds { get; init; }

    /// <summary>A target whose score is wanted, instead of what the model would generate.</summary>
    public string? Target { get; init; }

    /// <summary>Such a target in token ids.</summary>
    public IReadOnlyList<int>? TargetIds { get; init; }

    /// <summary>A text that the line's outputs begin with.</summary>
    public string? TargetPrefix { get; init; }

    /// <summary>Token ids that the line's outputs begin with.</summary>
    public IReadOnlyList<int>? DecoderInputIds { get; init; }

    /// <summary>Whether the line is a text to generate from and nothing else.</summary>
    internal bool IsPlainText =>
        this is { Text: not null, Target: null, TargetIds: null, TargetPrefix: null, DecoderInputIds: null };

    public LineError? Error { get; init; }

    /// <summary>What an earlier run of the job gave for this line; it is not computed again.</summary>
    internal SequenceResult? Answer { get; init; }
}
