using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation;

/// <summary>What became of one source line: its outputs, best first, or the error that is its result.</summary>
public sealed record SequenceResult
{
    public IReadOnlyList<SequenceOutput> Outputs { get; init; } = [];

    public LineError? Error { get; init; }

    /// <summary>Set when the outputs are those of a source that was cut.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SourceTruncation? Truncation { get; init; }

    /// <summary>Whether the outputs were drawn at random: those of an equal line would be others.</summary>
    [JsonIgnore]
    public bool IsSampled { get; init; }

    /// <summary>Whether an equal line would get the same outputs: nothing was drawn, and none ended because its time was up.</summary>
    [JsonIgnore]
    public bool IsRepeatable => !IsSampled && Outputs.All(output => output.FinishReason != FinishReason.Time);

    public static SequenceResult Failed(string code, string message) =>
        new()
        {
            Error = new LineError { Code = code, Message = message },
        };
}

/// <summary>One generated sequence.</summary>
public sealed record SequenceOutput
{
    /// <summary>The decoded text without special tokens; null when the model folder has no tokenizer.</summary>
    public string? Text { get; init; }

    /// <summary>
    /// Token ids without the decoder start token and padding: what the output was to begin with, if anything, and what was
    /// generated, the end token included.
    /// </summary>
    public required IReadOnlyList<int> TokenIds { get; init; }

    /// <summary>
    /// Sum of log-probabilities divided by length ^ length_penalty: Hugging Face's <c>sequences_scores</c>. NaN where
    /// <c>return_scores</c> did without.
    /// </summary>
    public required double Score { get; init; }

    public required FinishReason FinishReason { get; init; }

    /// <summary>
    /// Log-probability of each generated one of <see cref="TokenIds"/> after all options, as <c>compute_transition_scores</c>
    /// normalised; null unless <c>token_logprobs</c> asks for it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<float>? TokenLogprobs { get; init; }
}

/// <summary>Why a sequence ended; of several the greatest is the reason of all.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FinishReason>))]
public enum FinishReason
{
    /// <summary>The end token was generated, or one of the stop strings.</summary>
    [JsonStringEnumMemberName("stop")]
    Stop,

    /// <summary>The length limit was reached first.</summary>
    [JsonStringEnumMemberName("length")]
    Length,

    /// <summary>The time that <c>max_time</c> gives was up first.</summary>
    [JsonStringEnumMemberName("time")]
    Time,
}

/// <summary>An expected outcome of a line that has no output, with a stable code (see <see cref="LineErrorCodes"/>).</summary>
public sealed record LineError
{
    public required string Code { get; init; }

    public required string Message { get; init; }
}

/// <summary>The stable codes of <see cref="LineError"/>.</summary>
public static class LineErrorCodes
{
    /// <summary>The line has no text, or no tokens.</summary>
    public const string Empty = "line_empty";

    /// <summary>The line has more tokens than the model, or the caller's limit, takes.</summary>
    public const string TooLong = "line_too_long";

    /// <summary>The line can't be read: not valid UTF-8, or not the format that was announced.</summary>
    public const string Malformed = "line_malformed";

    /// <summary>What the line's outputs are to begin with leaves nothing to generate, or nothing that may come.</summary>
    public const string PrefixImpossible = "prefix_impossible";

    /// <summary>The other parameters leave none of the allowed outputs.</summary>
    public const string NoAllowedOutput = "no_allowed_output";

    /// <summary>Token ids outside the vocabulary.</summary>
    public const string TokenOutOfRange = "token_out_of_range";

    /// <summary>The line made its shard fail each time it was run; it was isolated.</summary>
    public const string Poison = "line_poison";
}
