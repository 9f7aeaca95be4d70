namespace Seq2Seq.Jobs.Webhooks;

/// <summary>What became of one message.</summary>
public sealed record WebhookStatus
{
    public required Guid Id { get; init; }

    /// <summary>The header <c>webhook-id</c>; the same in every attempt.</summary>
    public string MessageId => MessageIdOf(Id);

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

    internal static string MessageIdOf(Guid id) => $"msg_{id:N}";
}
