using System.ComponentModel;
using System.Text.Json;

namespace Seq2Seq.Api.Jobs;

/// <summary>
/// The JSON body of <c>POST /jobs</c>, for the OpenAPI document. <see cref="SubmissionReader"/> reads it, more strictly than a
/// serializer would.
/// </summary>
internal sealed record JobSubmission
{
    [Description("Name of a configured model; GET /models lists them.")]
    public required string Model { get; init; }

    [Description("The lines: texts, or objects with a custom_id and either text or input_ids. At least one.")]
    public required IReadOnlyList<JobInput> Inputs { get; init; }

    [Description("Generation parameters under Hugging Face's names, such as num_beams or max_new_tokens.")]
    public JsonElement? Parameters { get; init; }

    [Description("A name for people, at most 200 characters.")]
    public string? Name { get; init; }

    [Description("0 (first) to 9 (last); 5 when absent.")]
    public int? Priority { get; init; }

    [Description("How long results are kept after the job has finished.")]
    public int? RetentionSeconds { get; init; }

    [Description("No line is computed earlier.")]
    public DateTimeOffset? StartAt { get; init; }

    [Description("If the job has not finished by then, it fails and keeps the results it has.")]
    public DateTimeOffset? Deadline { get; init; }

    [Description("Where to say that the job has ended, signed by the Standard Webhooks rules.")]
    public WebhookRequest? Webhook { get; init; }
}

/// <summary>A receiver of a job's end.</summary>
internal sealed record WebhookRequest
{
    [Description("An https address that this service may reach.")]
    public required string Url { get; init; }

    [Description("whsec_ and 24 to 64 bytes in base64, to sign with; the configured one when absent.")]
    public string? Secret { get; init; }
}

/// <summary>One line of input: a plain string does as well.</summary>
internal sealed record JobInput
{
    [Description("The caller's own id, given back with the result.")]
    public string? CustomId { get; init; }

    public string? Text { get; init; }

    [Description("Token ids instead of text, as the model's tokenizer makes them, end token included.")]
    public IReadOnlyList<int>? InputIds { get; init; }

    [Description("A target to score; nothing is generated then.")]
    public string? Target { get; init; }

    [Description("Such a target in token ids, end token included.")]
    public IReadOnlyList<int>? TargetIds { get; init; }

    [Description("A text that the line's outputs begin with.")]
    public string? TargetPrefix { get; init; }

    [Description("Token ids that the line's outputs begin with.")]
    public IReadOnlyList<int>? DecoderInputIds { get; init; }
}
