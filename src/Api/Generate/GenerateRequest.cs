using System.ComponentModel;
using System.Text.Json;
using Seq2Seq.Api.Jobs;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Api.Generate;

/// <summary>The JSON body of <c>POST /generate</c>, for the OpenAPI document; <see cref="GenerateEndpoint"/> reads it strictly.</summary>
internal sealed record GenerateRequest
{
    [Description("Name of a configured model; GET /models lists them.")]
    public required string Model { get; init; }

    [Description("1 to 64 texts, or objects with a custom_id and either text or input_ids.")]
    public required IReadOnlyList<JobInput> Inputs { get; init; }

    [Description("Generation parameters under Hugging Face's names, such as num_beams or max_new_tokens.")]
    public JsonElement? Parameters { get; init; }

    [Description("A name for people, at most 200 characters.")]
    public string? Name { get; init; }

    [Description("0 (first) to 9 (last); 0 when absent.")]
    public int? Priority { get; init; }

    [Description("How long the job and its results are kept; an hour when absent.")]
    public int? RetentionSeconds { get; init; }

    [Description("How long to wait for the outputs: 1 to 120, 30 when absent.")]
    public int? TimeoutSeconds { get; init; }
}

/// <summary>The outputs of <c>POST /generate</c>, one result for each input, in order.</summary>
internal sealed record GenerateResponse
{
    [Description("The job that did the work.")]
    public required Guid Job { get; init; }

    [Description("The model that was asked for.")]
    public required string Model { get; init; }

    [Description("The models that answered: others than the one asked for where the operator's policy fell back.")]
    public required IReadOnlyList<string> ServedBy { get; init; }

    public required IReadOnlyList<GenerateResult> Results { get; init; }
}

/// <summary>Outputs, best first, or the error that is this input's result.</summary>
internal sealed record GenerateResult(string? CustomId, IReadOnlyList<SequenceOutput> Outputs, LineError? Error);
