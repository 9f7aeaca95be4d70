namespace Seq2Seq.Inference.Generation;

/// <summary>
/// One source line: its text, or the token ids that a tokenizer would have made of it (end token included). Exactly one
/// of the two is set. With a target, text or token ids, nothing is generated: the target's score is the result.
/// </summary>
public sealed record SequenceInput
{
    public string? Text { get; init; }

    public IReadOnlyList<int>? TokenIds { get; init; }

    /// <summary>A target to score.</summary>
    public string? TargetText { get; init; }

    /// <summary>A target to score, in token ids: without the decoder start token, with the end token if it shall count.</summary>
    public IReadOnlyList<int>? TargetTokenIds { get; init; }

    /// <summary>A text that the line's outputs begin with.</summary>
    public string? PrefixText { get; init; }

    /// <summary>Token ids that the line's outputs begin with; the decoder start token may stand in front.</summary>
    public IReadOnlyList<int>? PrefixTokenIds { get; init; }

    /// <summary>
    /// The line's number in what the caller has: sampling draws from the seed and this. Null is its place in the call.
    /// </summary>
    public long? Line { get; init; }

    public static SequenceInput FromText(string text) => new() { Text = text };

    public static SequenceInput FromTokenIds(IReadOnlyList<int> tokenIds) => new() { TokenIds = tokenIds };
}
