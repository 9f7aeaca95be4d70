using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Kernels;
using Seq2Seq.Inference.Layers.Matrices;
using TorchSharp;
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
    public static Linear Create(Tensor weight, Tensor? bias, ComputeType computeType) =>
        weight.dim() == 2
            ? Create(new TensorMatrix(weight), bias, computeType)
            : throw new ArgumentException(
                $"A linear weight is [out, in]; found {weight.dim()} dimensions.",
                nameof(weight)
            );

    /// <summary>Makes the layer, reading its weight once.</summary>
    /// <param name="weight"><c>[out, in]</c></param>
    /// <param name="bias"><c>[out]</c>, float32, or null.</param>
    /// <param name="computeType">Type to hold the weight in.</param>
    /// <param name="scale">What each weight is multiplied by, in float32.</param>
    public static Linear Create(WeightMatrix weight, Tensor? bias, ComputeType computeType, double scale = 1)
    {
        if (bias is not null && (bias.dim() != 1 || bias.shape[0] != weight.Rows))
        {
            throw new ArgumentException(
                $"A linear bias is [{weight.Rows}]; found [{string.Join(", ", bias.shape)}].",
                nameof(bias)
            );
        }

        return weight.IsOnCpu && HasAvx512 ? CreatePacked<Avx512Tiles>(weight, bias, computeType, (float)scale)
            : weight.IsOnCpu && HasAvx2 ? CreatePacked<Avx2Tiles>(weight, bias, computeType, (float)scale)
            : CreatePlain(weight, bias, computeType, scale);
    }

    /// <summary><c>[…, in]</c> → <c>[…, out]</c>, in the input's type.</summary>
    public abstract Tensor Forward(Tensor input);

    /// <summary>Rows of width <c>in</c> → rows of width <c>out</c>: <c>activation(x Wᵀ + b)</c>.</summary>
    /// <param name="input">The rows to transform.</param>
    /// <param name="output">Resized to the input's count; another block of rows than the input.</param>
    /// <param name="activation">Applied to the product.</param>
    /// <param name="accumulate">Add to what the output holds, as a residual connection does, instead of replacing it.</param>
    public virtual void Forward(
        Rows input,
        Rows output,
        Activation activation = Activation.Identity,
        bool accumulate = false
    )
    {
        PrepareOutput(input, output, accumulate);
        Tensor target = output.Tensor;
        using DisposeScope scope = NewDisposeScope();
        Tensor activated = activation.Apply(Forward(input.Tensor));
        if (accumulate)
        {
            target.add_(activated);
        }
        else
        {
            target.copy_(activated);
        }
    }

    /// <summary>Whether <see cref="ReadWeights"/> gives the weights as they were, so that an embedding may do without its own table.</summary>
    public virtual bool HoldsWeights => false;

    /// <summary>Reads the weights of one output, as a tied embedding does.</summary>
    /// <param name="output">Which one.</param>
    /// <param name="scale">What each is multiplied by.</param>
    /// <param name="destination">Room for <see cref="InFeatures"/> values.</param>
    /// <param name="accumulate">Add to what is there.</param>
    public virtual unsafe void ReadWeights(int output, float scale, float* destination, bool accumulate) =>
        throw new NotSupportedException("The layer doesn't hold its weights as they were.");

    /// <summary>The bias on the CPU, where <see cref="HoldsWeights"/>; empty where there is none.</summary>
    public virtual ReadOnlySpan<float> Bias => [];

    /// <summary>Computes some outputs of one row on the calling thread: the same bits as <see cref="Forward(Rows, Rows, Activation, bool)"/>.</summary>
    /// <param name="input"><see cref="InFeatures"/> values.</param>
    /// <param name="outputs">Which ones; neighbours side by side are computed together.</param>
    /// <param name="destination">Room for <see cref="OutFeatures"/> values, of which these are written.</param>
    public virtual unsafe void ForwardSome(float* input, ReadOnlySpan<int> outputs, float* destination) =>
        throw new NotSupportedException("The layer doesn't hold its weights as they were.");

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) { }

    protected void PrepareOutput(Rows input, Rows output, bool accumulate)
    {
        if (input.Width != InFeatures || output.Width != OutFeatures || (accumulate && output.Count != input.Count))
        {
            throw new ArgumentException(
                $"A linear layer of {InFeatures} → {OutFeatures} can't take [{input.Count}, {input.Width}] to "
                    + $"[{output.Count}, {output.Width}].",
                nameof(output)
            );
        }

        output.Resize(input.Count);
    }

    private static Linear CreatePacked<TTiles>(WeightMatrix weight, Tensor? bias, ComputeType computeType, float scale)
        where TTiles : ITiles =>
        computeType switch
        {
            ComputeType.Float32 => new PackedLinear<TTiles, Float32Format>(weight, bias, scale),
            ComputeType.Float16 => new PackedLinear<TTiles, Float16Format>(weight, bias, scale),
            ComputeType.BFloat16 => new PackedLinear<TTiles, BFloat16Format>(weight, bias, scale),
            ComputeType.Int8 when VnniArithmetic.IsSupported => new Int8Linear<VnniArithmetic>(weight, bias, scale),
            ComputeType.Int8 => new Int8Linear<Avx2Arithmetic>(weight, bias, scale),
            _ => throw new NotSupportedException($"No linear kernel for {computeType.ToName()} on the CPU."),
        };

    private static PlainLinear CreatePlain(WeightMatrix weight, Tensor? bias, ComputeType computeType, double scale)
    {
        ScalarType type = computeType switch
        {
            ComputeType.Float32 => ScalarType.Float32,
            ComputeType.Float16 => ScalarType.Float16,
            ComputeType.BFloat16 => ScalarType.BFloat16,
            _ => throw new NotSupportedException($"No linear kernel of torch for {computeType.ToName()}."),
        };
        using DisposeScope memory = NewDisposeScope();
        Tensor whole = weight.ToTensor();
        return new PlainLinear(scale == 1 ? whole : whole * scale, bias, type);
    }

    private static bool HasAvx2 => Avx2.IsSupported && Fma.IsSupported;

    // Not on processors that slow down for wide vectors: the runtime knows them.
    private static bool HasAvx512 => Vector512.IsHardwareAccelerated && Avx512F.IsSupported;
}
