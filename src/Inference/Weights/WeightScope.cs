using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// How a family takes its weights: by scope and name, each with the one shape that fits (<c>layer["q"].Take("weight", [inner,
/// model])</c>). What is missing, misshapen or not finite is collected, so that a refusal names everything at once; a
/// network is built only when nothing is.
/// </summary>
internal sealed class WeightScope
{
    /// <summary>The scope under <paramref name="name"/>: names below it begin with <c>name.</c></summary>
    public WeightScope this[string name] => throw new NotSupportedException();

    /// <summary>Takes a parameter in float32 on the load's device. The caller owns the tensor; it must not be written to.</summary>
    /// <param name="name">Name in this scope.</param>
    /// <param name="shape">The exact shape.</param>
    public Tensor Take(string name, params ReadOnlySpan<long> shape) => throw new NotSupportedException();

    /// <summary>
    /// Takes a parameter that is stored under one or more names (tied embeddings): the first that is there, in this order.
    /// Others that are there too must have the same shape.
    /// </summary>
    public Tensor TakeTied(ReadOnlySpan<string> names, params ReadOnlySpan<long> shape) =>
        throw new NotSupportedException();

    /// <summary>Takes a parameter that may be absent because it can be computed (sinusoids, zero biases).</summary>
    public Tensor? TakeOptional(string name, params ReadOnlySpan<long> shape) => throw new NotSupportedException();

    /// <summary>Whether the checkpoint has the name: weights decide where they and the configuration disagree.</summary>
    public bool Contains(string name) => throw new NotSupportedException();
}
