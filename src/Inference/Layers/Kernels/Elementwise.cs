using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Activation functions over contiguous floats, in place.</summary>
// Whole vectors from the start; the last partial one through a buffer, so that every element goes through the same
// instructions wherever it stands.
internal static unsafe class Elementwise
{
    public static void Apply(Activation activation, float* values, int count)
    {
        switch (activation)
        {
            case Activation.Identity:
                break;
            case Activation.Relu:
                Apply<Relu>(values, count);
                break;
            case Activation.Gelu:
                Apply<Gelu>(values, count);
                break;
            case Activation.GeluTanh:
                Apply<GeluTanh>(values, count);
                break;
            case Activation.Silu:
                Apply<Silu>(values, count);
                break;
            case Activation.Tanh:
                Apply<Tanh>(values, count);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, message: null);
        }
    }

    [SkipLocalsInit]
    private static void Apply<TFunction>(float* values, int count)
        where TFunction : IFunction
    {
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            TFunction.Of(Vector256.Load(values + i)).Store(values + i);
        }

        if (i < count)
        {
            float* rest = stackalloc float[8];
            Span<float> tail = new(values + i, count - i);
            tail.CopyTo(new Span<float>(rest, 8));
            TFunction.Of(Vector256.Load(rest)).Store(rest);
            new Span<float>(rest, count - i).CopyTo(tail);
        }
    }

    private interface IFunction
    {
        static abstract Vector256<float> Of(Vector256<float> x);
    }

    private readonly struct Relu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => Vector256.Max(x, Vector256<float>.Zero);
    }

    private readonly struct Gelu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) =>
            x * 0.5f * (Vector256<float>.One + VectorMath.Erf(x * 0.70710678f));
    }

    private readonly struct GeluTanh : IFunction
    {
        // (1 + tanh z) / 2 = 1 / (1 + e^-2z), without the cancellation.
        public static Vector256<float> Of(Vector256<float> x) =>
            x * VectorMath.Sigmoid(1.5957691f * (x + (0.044715f * x * x * x)));
    }

    private readonly struct Silu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => x * VectorMath.Sigmoid(x);
    }

    private readonly struct Tanh : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => VectorMath.Tanh(x);
    }
}
