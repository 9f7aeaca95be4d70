using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>A layer's own hold on a float32 weight: the tensor, and on the CPU its memory.</summary>
internal sealed unsafe class Parameter : IDisposable
{
    /// <param name="tensor">The caller still disposes its own handle.</param>
    public Parameter(Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor = tensor.to_type(ScalarType.Float32).contiguous().alias().DetachFromDisposeScope();
        Count = checked((int)Tensor.numel());
        Pointer = Tensor.device_type == DeviceType.CPU ? Tensor.FloatPointer() : null;
    }

    public Tensor Tensor { get; }

    /// <summary>Number of values.</summary>
    public int Count { get; }

    /// <summary>First value; null on other devices than the CPU.</summary>
    public float* Pointer { get; private set; }

    public void Dispose()
    {
        Tensor.Dispose();
        Pointer = null;
    }
}
