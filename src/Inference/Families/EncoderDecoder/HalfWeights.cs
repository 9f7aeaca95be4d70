using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Matrices;
using Seq2Seq.Inference.Weights;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>The weights of a half, by their names in its own model.</summary>
/// <param name="weights">The whole checkpoint.</param>
/// <param name="scopes">Where the half's stand; the second where they may stand as well, since the halves share them.</param>
/// <param name="computeType">What linear layers compute in.</param>
internal sealed class HalfWeights(WeightScope weights, string[] scopes, ComputeType computeType)
{
    public ComputeType ComputeType => computeType;

    /// <summary>Names in the checkpoint of one of the half's tensors.</summary>
    public string[] NamesOf(string name) => [.. scopes.Select(scope => scope + name)];

    /// <summary>The name in the checkpoint of a tensor of a decoder's head.</summary>
    public static string HeadName(string name) => $"decoder.{name}";

    /// <inheritdoc cref="WeightScope.Take"/>
    public Tensor Take(string name, params ReadOnlySpan<long> shape) => weights.TakeTied(NamesOf(name), shape);

    /// <summary>Takes a tensor that the checkpoint has under one or more of these names.</summary>
    public Tensor TakeTied(ReadOnlySpan<string> names, params ReadOnlySpan<long> shape) =>
        weights.TakeTied(names, shape);

    /// <inheritdoc cref="WeightScope.TakeMatrix"/>
    public WeightMatrix TakeMatrix(string name, int rows, int columns) => TakeTiedMatrix(NamesOf(name), rows, columns);

    /// <summary>Takes a matrix that the checkpoint has under one or more of these names.</summary>
    public WeightMatrix TakeTiedMatrix(ReadOnlySpan<string> names, int rows, int columns) =>
        weights.TakeTiedMatrix(names, rows, columns);
}
