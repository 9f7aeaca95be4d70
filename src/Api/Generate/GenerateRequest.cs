using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;
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
internal sealed record GenerateResult(string? CustomId, IReadOnlyList<GenerateOutput> Outputs, LineError? Error)
{
    [Description("True when the input was cut, as \"long_lines\": \"truncate\" asks; absent otherwise.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Truncated { get; init; }

    [Description("Tokens of an input that was cut, before it was.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SourceTokens { get; init; }

    [Description("Tokens of an input that was cut, as the model read it.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? KeptTokens { get; init; }

    public static GenerateResult Of(string? customId, SequenceResult result) =>
        new(customId, [.. result.Outputs.Select(GenerateOutput.Of)], result.Error)
        {
            Truncated = result.Truncation is null ? null : true,
            SourceTokens = result.Truncation?.SourceTokens,
            KeptTokens = result.Truncation?.KeptTokens,
        };
}

/// <summary>One output. A number that JSON does not have (of an output without a score, or without a chance) is null.</summary>
internal sealed record GenerateOutput
{
    [Description("The text without special tokens; null when the model has no tokenizer.")]
    public string? Text { get; init; }

    [Description("Token ids without the decoder start token and padding; the end token is kept.")]
    public required IReadOnlyList<int> TokenIds { get; init; }

    [Description("Sum of log-probabilities divided by length ^ length_penalty; null where return_scores is false.")]
    public double? Score { get; init; }

    public required FinishReason FinishReason { get; init; }

    [Description("Log-probability of each token that was generated, where token_logprobs asks for it.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<float?>? TokenLogprobs { get; init; }

    public static GenerateOutput Of(SequenceOutput output) =>
        new()
        {
            Text = output.Text,
            TokenIds = output.TokenIds,
            Score = double.IsFinite(output.Score) ? output.Score : null,
            FinishReason = output.FinishReason,
            TokenLogprobs = output.TokenLogprobs is { } all
                ? [.. all.Select(one => float.IsFinite(one) ? one : (float?)null)]
                : null,
        };
}
