using System.ComponentModel;
using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Webhooks;

namespace Seq2Seq.Api.Jobs;

/// <summary>A job as the API shows it.</summary>
internal record JobResource
{
    public required Guid Id { get; init; }

    [Description("The name that the caller gave.")]
    public string? Name { get; init; }

    [Description("The model that was asked for; served_by names the one that answered.")]
    public required string Model { get; init; }

    public required JobState State { get; init; }

    [Description("0 (first) to 9 (last).")]
    public required int Priority { get; init; }

    [Description("Generation parameters that the caller set, under Hugging Face's names.")]
    public required JsonElement Parameters { get; init; }

    [Description("Lines of input; grows while the job is receiving.")]
    public required long Lines { get; init; }

    [Description("Lines that have a result, errors included.")]
    public required long LinesDone { get; init; }

    [Description("Lines whose result is an error.")]
    public required long LinesFailed { get; init; }

    [Description("Bytes of input.")]
    public required long Bytes { get; init; }

    [Description("Pieces of consecutive lines that are computed independently.")]
    public required int Shards { get; init; }

    public required int ShardsDone { get; init; }

    [Description("1, and one more each time that its failed lines were run again.")]
    public required int Run { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    [Description("No line is computed earlier; null when no time was set.")]
    public DateTimeOffset? StartAt { get; init; }

    [Description("When the job fails if it has not finished; null when no time was set.")]
    public DateTimeOffset? Deadline { get; init; }

    [Description("Where it is said that the job has ended; null when nobody asked.")]
    public string? WebhookUrl { get; init; }

    [Description("When the finished job and its results are deleted.")]
    public DateTimeOffset? ExpiresAt { get; init; }

    [Description("Why the job failed, or why it waits; null when all is well.")]
    public JobError? Error { get; init; }

    [Description("Addresses of what belongs to the job.")]
    public required JobLinks Links { get; init; }

    public static JobResource Of(Job job) =>
        new()
        {
            Id = job.Id,
            Name = job.Name,
            Model = job.Model,
            State = job.State,
            Priority = job.Priority,
            Parameters = ParametersOf(job.Parameters),
            Lines = job.Lines,
            LinesDone = job.LinesDone,
            LinesFailed = job.LinesFailed,
            Bytes = job.Bytes,
            Shards = job.Shards,
            ShardsDone = job.ShardsDone,
            Run = job.Run,
            CreatedAt = job.CreatedAt,
            StartedAt = job.StartedAt,
            FinishedAt = job.FinishedAt,
            StartAt = job.StartAt,
            Deadline = job.Deadline,
            WebhookUrl = job.WebhookUrl,
            ExpiresAt = job.ExpiresAt,
            Error = job.ErrorCode is { } code ? new JobError(code, job.ErrorMessage ?? "") : null,
            Links = JobLinks.Of(job.Id),
        };

    /// <summary>A state's name in JSON, queries and headers.</summary>
    public static string StateName(JobState state) => JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString());

    private static JsonElement ParametersOf(GenerationParameters parameters)
    {
        using JsonDocument document = JsonDocument.Parse(GenerationParametersJson.Write(parameters));
        return document.RootElement.Clone();
    }
}

/// <summary>A job with the loads that served it.</summary>
internal sealed record JobDetail : JobResource
{
    [Description("The loads of models that gave the job's results so far, each with how it was loaded.")]
    public required IReadOnlyList<ServingLoadResource> ServedBy { get; init; }

    public static JobDetail Of(Job job, IReadOnlyList<ServingLoad> loads) =>
        new(Of(job)) { ServedBy = [.. loads.Select(ServingLoadResource.Of)] };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    private JobDetail(JobResource job)
        : base(job) => ServedBy = [];
}

internal sealed record JobError(string Code, string Message);

/// <summary>Addresses of what belongs to a job.</summary>
internal sealed record JobLinks(
    string Self,
    string Results,
    string Shards,
    string Events,
    string Webhooks,
    string Cancel,
    string Pause,
    string Resume,
    string Retry
)
{
    public static JobLinks Of(Guid id) =>
        new(
            $"/jobs/{id}",
            $"/jobs/{id}/results",
            $"/jobs/{id}/shards",
            $"/jobs/{id}/events",
            $"/jobs/{id}/webhooks",
            $"/jobs/{id}/cancel",
            $"/jobs/{id}/pause",
            $"/jobs/{id}/resume",
            $"/jobs/{id}/retry"
        );
}

/// <summary>A load of a model that gave results of a job.</summary>
internal sealed record ServingLoadResource
{
    public required long Id { get; init; }

    [Description(
        "The model that gave the results: another than the job's where the operator's policy fell back to it."
    )]
    public required string Model { get; init; }

    public required string Worker { get; init; }

    public required string Slot { get; init; }

    [Description("Lines of this job that the load served.")]
    public required long Lines { get; init; }

    public required LoadReport Report { get; init; }

    public static ServingLoadResource Of(ServingLoad load) =>
        new()
        {
            Id = load.Id,
            Model = load.ServedBy,
            Worker = load.Worker,
            Slot = load.Slot,
            Lines = load.Lines,
            Report = load.Report with { Languages = null },
        };
}

/// <summary>A page of jobs, newest first.</summary>
internal sealed record JobPage(
    IReadOnlyList<JobResource> Jobs,
    [property: Description("Give this as after to get the next page; null on the last.")] Guid? Next
);

/// <summary>A page of a job's shards, in input order.</summary>
internal sealed record ShardPage(
    IReadOnlyList<ShardStatus> Shards,
    [property: Description("Give this as after_line to get the next page; null on the last.")] long? Next
);

/// <summary>What became of the messages that a job has ended, oldest first: one for each time that it has.</summary>
internal sealed record WebhookList(IReadOnlyList<WebhookResource> Webhooks);

/// <summary>A message to the job's webhook, and what became of it.</summary>
internal sealed record WebhookResource
{
    [Description("The header webhook-id of the message; the same in every attempt.")]
    public required string Id { get; init; }

    [Description("job.completed, job.failed or job.cancelled.")]
    public required string Type { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required int Attempts { get; init; }

    [Description("When it is tried next; null once it was delivered or given up.")]
    public DateTimeOffset? DueAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    [Description("HTTP status of the receiver's last answer; null when there was none.")]
    public int? Status { get; init; }

    [Description("Why the last attempt did not deliver it.")]
    public string? Error { get; init; }

    public static WebhookResource Of(WebhookStatus webhook) =>
        new()
        {
            Id = webhook.MessageId,
            Type = webhook.Type,
            CreatedAt = webhook.CreatedAt,
            Attempts = webhook.Attempts,
            DueAt = webhook.DueAt,
            DeliveredAt = webhook.DeliveredAt,
            Status = webhook.Status,
            Error = webhook.Error,
        };
}
