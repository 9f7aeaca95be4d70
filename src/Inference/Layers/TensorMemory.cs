using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>The memory behind a tensor, for kernels of our own.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>
    /// First value of a contiguous float32 tensor on the CPU. The memory is the tensor's: it stays while a handle on it lives.
    /// </summary>
    public static float* FloatPointer(this Tensor tensor)
    {
        if (
            tensor.dtype != ScalarType.Float32
            || tensor.device_type != TorchSharp.DeviceType.CPU
            || !tensor.is_contiguous()
        )
        {
            throw new ArgumentException(
                $"Expected a contiguous float32 tensor on the CPU; found {tensor.dtype} on {tensor.device}.",
                nameof(tensor)
            );
        }

        // Native memory: nothing moves it.
        return (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));
    }

    /// <summary>The values of a contiguous float32 tensor on the CPU. The memory is the tensor's.</summary>
    public static Span<float> FloatSpan(this Tensor tensor) => new(tensor.FloatPointer(), checked((int)tensor.numel()));
}
