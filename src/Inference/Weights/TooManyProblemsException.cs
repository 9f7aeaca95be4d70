namespace Seq2Seq.Inference.Weights;

/// <summary>So many parameters can't be filled that looking for more is pointless: ends a build, however many layers the configuration claims.</summary>
internal sealed class TooManyProblemsException() : Exception("Too many parameters can't be filled.");
