namespace Seq2Seq.Inference.Weights;

/// <summary>
/// Looking for further parameters that can't be filled is pointless: there are many, however many layers the configuration
/// claims, or one is so large that nothing can be built on it.
/// </summary>
internal sealed class PlanEndedException() : Exception("Too many parameters can't be filled, or one is too large.");
