using Seq2Seq.Inference.Devices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families;

/// <summary>What is decided once, at load, about how a network computes.</summary>
internal sealed record NetworkOptions
{
    /// <summary>Device of the weights; the meta device in the first build (see <see cref="Weights.WeightScope"/>).</summary>
    public required Device Device { get; init; }

    public required ComputeType ComputeType { get; init; }

    /// <inheritdoc cref="Loading.ModelLoadOptions.AsPublished"/>
    public bool AsPublished { get; init; }
}
