namespace Seq2Seq.Inference.LongLines;

/// <summary>A source line, or a piece of one that was too long.</summary>
/// <param name="Tokens">Its token ids, as those of a line of its own.</param>
/// <param name="Gap">The white space between it and the next piece.</param>
internal sealed record SourcePiece(IReadOnlyList<int> Tokens, string Gap = "");
