using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.LongLines;

/// <summary>A source line, a piece of one that was too long, or what was left of one that was cut.</summary>
/// <param name="Tokens">Its token ids, as those of a line of its own.</param>
/// <param name="Gap">The white space between it and the next piece.</param>
internal sealed record SourcePiece(IReadOnlyList<int> Tokens, string Gap = "")
{
    /// <summary>How much of its line was cut off; null for most.</summary>
    public SourceTruncation? Truncation { get; init; }
}
