using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Results;

/// <summary>The result of one line.</summary>
/// <param name="Line">Its number in the input, from 0.</param>
/// <param name="CustomId">The caller's own id, if given.</param>
/// <param name="Result">Outputs, or the error.</param>
public sealed record LineResult(long Line, string? CustomId, SequenceResult Result);
