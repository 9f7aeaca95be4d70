using Seq2Seq.Inference.Devices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// <c>y = x Wᵀ + b</c>. The kernel is chosen once, when the layer is made, from the compute type and the device that
/// holds the weight; a forward never asks. Safe to call from many threads.
/// </summary>
internal abstract class Linear(int inFeatures, int outFeatures) : IDisposable
{
    public int InFeatures { get; } = inFeatures;

    public int OutFeatures { get; } = outFeatures;

    /// <summary>Makes the layer. It keeps what it needs of the tensors' memory; the caller still disposes its own handles.</summary>
    /// <param name="weight"><c>[out, in]</c>, float32.</param>
    /// <param name="bias"><c>[out]</c>, float32, or null.</param>
    /// <param name="computeType">Type to hold the weight in.</param>
    public static Linear Create(Tensor weight, Tensor? bias, ComputeType computeType)
    {
        if (weight.dim() != 2)
        {
            throw new ArgumentException(
                $"A linear weight is [out, in]; found {weight.dim()} dimensions.",
                nameof(weight)
            );
        }

        if (bias is not null && (bias.dim() != 1 || bias.shape[0] != weight.shape[0]))
        {
            throw new ArgumentException(
                $"A linear bias is [{weight.shape[0]}]; found [{string.Join(", ", bias.shape)}].",
                nameof(bias)
            );
        }

        return computeType switch
        {
            ComputeType.Auto or ComputeType.Float32 => new PlainLinear(weight, bias, ScalarType.Float32),
            ComputeType.Float16 => new PlainLinear(weight, bias, ScalarType.Float16),
            ComputeType.BFloat16 => new PlainLinear(weight, bias, ScalarType.BFloat16),
            _ => throw new NotSupportedException($"No linear kernel for {computeType.ToName()} on {weight.device}."),
        };
    }

    /// <summary><c>[…, in]</c> → <c>[…, out]</c>, in the input's type.</summary>
    public abstract Tensor Forward(Tensor input);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) { }
}
