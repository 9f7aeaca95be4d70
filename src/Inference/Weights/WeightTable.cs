using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>What stands behind the scopes of one build: <see cref="WeightPlan"/> the first time, <see cref="FilledWeights"/> the second.</summary>
internal abstract class WeightTable
{
    public abstract bool Contains(string name);

    public abstract IReadOnlyList<long>? ShapeOf(string name);

    /// <summary>Takes a parameter of exactly <paramref name="shape"/>, stored under the first of <paramref name="names"/> that is there.</summary>
    public abstract Tensor Take(ReadOnlySpan<string> names, ReadOnlySpan<long> shape);

    /// <summary>Takes a matrix, for a layer that packs it.</summary>
    public abstract WeightMatrix TakeMatrix(ReadOnlySpan<string> names, int rows, int columns);

    public abstract void Note(string message);
}
