using System.Globalization;
using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// How a family takes its weights: by scope and name, each with the one shape that fits (<c>layer["q"].Take("weight", [inner,
/// model])</c>). What is missing, misshapen or not finite is collected, so that a refusal names everything at once.
/// </summary>
/// <remarks>
/// A family is built twice. The first time every tensor is on torch's meta device: it has a shape and no values, and names
/// and shapes are checked before a byte is read. Only when all fit is the family built on the weights, each of which is read
/// when it is taken, and verified at the end. So a build must not branch on values, and must take the same weights each time.
/// </remarks>
internal sealed class WeightScope(WeightTable table, string prefix = "")
{
    /// <summary>The scope under <paramref name="name"/>: names below it begin with <c>name.</c></summary>
    public WeightScope this[string name] => new(table, $"{prefix}{name}.");

    /// <summary>The scope of one layer in a list.</summary>
    public WeightScope this[int index] => this[index.ToString(CultureInfo.InvariantCulture)];

    /// <summary>Takes a parameter in float32 on the load's device. The caller owns the tensor; it must not be written to.</summary>
    /// <param name="name">Name in this scope.</param>
    /// <param name="shape">The exact shape.</param>
    public Tensor Take(string name, params ReadOnlySpan<long> shape) => table.Take([prefix + name], shape);

    /// <summary>
    /// Takes a parameter that is stored under one or more names (tied embeddings): the first that is there, in this order.
    /// Others that are there too must have the same shape.
    /// </summary>
    public Tensor TakeTied(ReadOnlySpan<string> names, params ReadOnlySpan<long> shape) =>
        table.Take(FullNames(names), shape);

    /// <summary>Takes the matrix of a linear layer: it is read when the layer is made, and packed while it is read.</summary>
    /// <param name="name">Name in this scope.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    public WeightMatrix TakeMatrix(string name, int rows, int columns) =>
        table.TakeMatrix([prefix + name], rows, columns);

    /// <summary>
    /// Takes a matrix as <see cref="TakeTied"/> takes a tensor. What is stored once is the same object whichever of its names it
    /// is taken by.
    /// </summary>
    public WeightMatrix TakeTiedMatrix(ReadOnlySpan<string> names, int rows, int columns) =>
        table.TakeMatrix(FullNames(names), rows, columns);

    /// <summary>Takes a parameter that may be absent because it can be computed (sinusoids, zero biases).</summary>
    public Tensor? TakeOptional(string name, params ReadOnlySpan<long> shape) =>
        Contains(name) ? table.Take([prefix + name], shape) : null;

    /// <summary>Whether the checkpoint has the name: weights decide where they and the configuration disagree.</summary>
    public bool Contains(string name) => table.Contains(prefix + name);

    /// <summary>The shape that the checkpoint stores under the name; null when it is not there.</summary>
    public IReadOnlyList<long>? ShapeOf(string name) => table.ShapeOf(prefix + name);

    /// <summary>Says in the load report that something is not as the configuration has it, and what was done.</summary>
    public void Note(string message) => table.Note(message);

    private string[] FullNames(ReadOnlySpan<string> names)
    {
        string[] fullNames = new string[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            fullNames[i] = prefix + names[i];
        }

        return fullNames;
    }
}
