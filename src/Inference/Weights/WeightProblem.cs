namespace Seq2Seq.Inference.Weights;

/// <summary>Why a parameter can't be filled.</summary>
/// <param name="Code">A code of <see cref="Loading.LoadCodes"/>.</param>
/// <param name="Tensor">The parameter's name.</param>
/// <param name="Message">What was found and what was expected, naming the tensor.</param>
internal sealed record WeightProblem(string Code, string Tensor, string Message);
