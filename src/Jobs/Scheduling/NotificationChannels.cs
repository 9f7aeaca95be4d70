namespace Seq2Seq.Jobs.Scheduling;

/// <summary>PostgreSQL's channels that this service notifies and listens to.</summary>
internal static class NotificationChannels
{
    /// <summary>Shards wait to be fed: a job was submitted, or shards came back. Payload: the job's id.</summary>
    public const string Waiting = "seq2seq_waiting";

    /// <summary>A shard's Hangfire job was queued. Payload: the queue.</summary>
    public const string Queue = "seq2seq_queue";

    /// <summary>A job has ended: completed, failed or cancelled. Payload: the job's id.</summary>
    public const string Ended = "seq2seq_ended";

    /// <summary>An operator asks for a model that could not be loaded to be tried again. Payload: the model.</summary>
    public const string Models = "seq2seq_models";

    /// <summary>A webhook is due. No payload. The name stands in <c>migrations/0003_webhooks.sql</c>, too.</summary>
    public const string Webhook = "seq2seq_webhook";

    public static IReadOnlyList<string> All { get; } = [Waiting, Queue, Ended, Models, Webhook];
}
