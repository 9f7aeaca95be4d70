using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Activation functions, gates and scaling over contiguous floats.</summary>
// Whole vectors from the start; the last partial one through a buffer, so that every element goes through the same
// instructions wherever it stands.
internal static unsafe class Elementwise
{
    private const int Lanes = 8;

    /// <summary>Fewer values than this are no work to share.</summary>
    private const int ValuesPerChunk = 4 * 1024;

    /// <summary>Applies the function in place.</summary>
    public static void Apply(Activation activation, float* values, int count)
    {
        if (activation != Activation.Identity)
        {
            Map(activation, values, other: null, values, count);
        }
    }

    /// <summary>Rows of <c>[gate | up]</c> → rows of <c>activation(gate) · up</c>, on the calling thread's team.</summary>
    public static void Gate(Activation activation, float* gateAndUp, float* output, int rows, int width)
    {
        GateArguments arguments = new()
        {
            Activation = activation,
            GateAndUp = gateAndUp,
            Output = output,
            Rows = rows,
            Width = width,
        };
        ComputeTeam.Run(&GateChunk, &arguments, (int)Math.Max(1, (long)rows * width / ValuesPerChunk));
    }

    /// <summary>The output becomes (or grows by) the input times a factor.</summary>
    public static void Scale(float* input, float factor, float* output, int count, bool accumulate)
    {
        Vector256<float> factors = Vector256.Create(factor);
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            Vector256<float> product = Vector256.Load(input + i) * factors;
            (accumulate ? product + Vector256.Load(output + i) : product).Store(output + i);
        }

        for (; i < count; i++)
        {
            float product = input[i] * factor;
            output[i] = accumulate ? product + output[i] : product;
        }
    }

    private static void GateChunk(void* state, int chunk, int chunks)
    {
        GateArguments* arguments = (GateArguments*)state;
        int width = arguments->Width;
        int end = (int)((long)arguments->Rows * (chunk + 1) / chunks);
        for (int row = (int)((long)arguments->Rows * chunk / chunks); row < end; row++)
        {
            float* gate = arguments->GateAndUp + ((nint)row * 2 * width);
            Map(arguments->Activation, gate, gate + width, arguments->Output + ((nint)row * width), width);
        }
    }

    private static void Map(Activation activation, float* input, float* other, float* output, int count)
    {
        switch (activation)
        {
            case Activation.Identity:
                Map<Identity>(input, other, output, count);
                break;
            case Activation.Relu:
                Map<Relu>(input, other, output, count);
                break;
            case Activation.LeakyRelu:
                Map<LeakyRelu>(input, other, output, count);
                break;
            case Activation.Relu6:
                Map<Relu6>(input, other, output, count);
                break;
            case Activation.SquaredRelu:
                Map<SquaredRelu>(input, other, output, count);
                break;
            case Activation.Gelu:
                Map<Gelu>(input, other, output, count);
                break;
            case Activation.ClippedGelu:
                Map<ClippedGelu>(input, other, output, count);
                break;
            case Activation.GeluTanh:
                Map<GeluTanh>(input, other, output, count);
                break;
            case Activation.QuickGelu:
                Map<QuickGelu>(input, other, output, count);
                break;
            case Activation.Silu:
                Map<Silu>(input, other, output, count);
                break;
            case Activation.Mish:
                Map<Mish>(input, other, output, count);
                break;
            case Activation.Tanh:
                Map<Tanh>(input, other, output, count);
                break;
            case Activation.Sigmoid:
                Map<Sigmoid>(input, other, output, count);
                break;
            case Activation.Laplace:
                Map<Laplace>(input, other, output, count);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, message: null);
        }
    }

    /// <summary><c>function(input)</c>, times the other operand where there is one.</summary>
    [SkipLocalsInit]
    private static void Map<TFunction>(float* input, float* other, float* output, int count)
        where TFunction : IFunction
    {
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            Vector256<float> value = TFunction.Of(Vector256.Load(input + i));
            (other is null ? value : value * Vector256.Load(other + i)).Store(output + i);
        }

        if (i < count)
        {
            float* rest = stackalloc float[2 * Lanes];
            int length = count - i;
            new ReadOnlySpan<float>(input + i, length).CopyTo(new Span<float>(rest, Lanes));
            Vector256<float> value = TFunction.Of(Vector256.Load(rest));
            if (other is not null)
            {
                new ReadOnlySpan<float>(other + i, length).CopyTo(new Span<float>(rest + Lanes, Lanes));
                value *= Vector256.Load(rest + Lanes);
            }

            value.Store(rest);
            new ReadOnlySpan<float>(rest, length).CopyTo(new Span<float>(output + i, length));
        }
    }

    private struct GateArguments
    {
        public Activation Activation;
        public float* GateAndUp;
        public float* Output;
        public int Rows;
        public int Width;
    }

    private interface IFunction
    {
        static abstract Vector256<float> Of(Vector256<float> x);
    }

    private readonly struct Identity : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => x;
    }

    private readonly struct Relu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => Vector256.Max(x, Vector256<float>.Zero);
    }

    private readonly struct LeakyRelu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => Vector256.Max(x, x * 0.01f);
    }

    private readonly struct Relu6 : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => Vector256.Min(Relu.Of(x), Vector256.Create(6f));
    }

    private readonly struct SquaredRelu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x)
        {
            Vector256<float> rectified = Relu.Of(x);
            return rectified * rectified;
        }
    }

    private readonly struct Gelu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) =>
            x * 0.5f * (Vector256<float>.One + VectorMath.Erf(x * 0.70710678f));
    }

    private readonly struct ClippedGelu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => Vector256.Min(Gelu.Of(x), Vector256.Create(10f));
    }

    private readonly struct GeluTanh : IFunction
    {
        // (1 + tanh z) / 2 = 1 / (1 + e^-2z), without the cancellation.
        public static Vector256<float> Of(Vector256<float> x) =>
            x * VectorMath.Sigmoid(1.5957691f * (x + (0.044715f * x * x * x)));
    }

    private readonly struct QuickGelu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => x * VectorMath.Sigmoid(1.702f * x);
    }

    private readonly struct Silu : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => x * VectorMath.Sigmoid(x);
    }

    private readonly struct Mish : IFunction
    {
        // tanh(log(1 + e^x)) = n / (n + 2) with n = e^2x + 2 e^x; from 20 on it is 1 in float32, and e^2x must not overflow.
        public static Vector256<float> Of(Vector256<float> x)
        {
            Vector256<float> exponential = VectorMath.Exp(Vector256.Min(x, Vector256.Create(20f)));
            Vector256<float> n = exponential * (exponential + Vector256.Create(2f));
            return x * (n / (n + Vector256.Create(2f)));
        }
    }

    private readonly struct Tanh : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => VectorMath.Tanh(x);
    }

    private readonly struct Sigmoid : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) => VectorMath.Sigmoid(x);
    }

    private readonly struct Laplace : IFunction
    {
        public static Vector256<float> Of(Vector256<float> x) =>
            0.5f
            * (
                Vector256<float>.One
                + VectorMath.Erf((x - Vector256.Create(0.707107f)) * (1 / (0.282095f * 1.41421356f)))
            );
    }
}
