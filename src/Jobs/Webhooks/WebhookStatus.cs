namespace Seq2Seq.Jobs.Webhooks;

/// <summary>What became of one message.</summary>
public sealed record WebhookStatus
{
    /// <summary>Stands in <c>webhook-id</c>, after <c>msg_</c>.</summary>
    public required Guid Id { get; init; }

    /// <summary>Such as <c>job.completed</c>.</summary>
    public required string Type { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required int Attempts { get; init; }

    /// <summary>When it is tried next; null once it was delivered or given up.</summary>
    public DateTimeOffset? DueAt { get; init; }
    public DateTimeOffset? DeliveredAt { get; init; }

    /// <summary>HTTP status of the last answer.</summary>
    public int? Status { get; init; }

    /// <summary>Why the last attempt did not deliver it.</summary>
    public string? Error { get; init; }
}
