using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Operands of a norm over rows of one width. Input and output may be the same memory.</summary>
internal unsafe struct NormArguments
{
    public float* Input;
    public float* Output;
    public int Rows;
    public int Width;
    public float* Weight;

    /// <summary>Added at the end; null in a root mean square norm, which does not centre either.</summary>
    public float* Bias;
    public float Epsilon;
}

/// <summary>Root mean square norm and layer normalisation of rows.</summary>
// A row is read twice or three times from the first level cache: sums first, then the scaled values. Each sum is four
// vectors, added up at the end in a fixed order, then the elements beyond the last whole vector.
internal static unsafe class NormKernels
{
    /// <summary>Fewer values than this are no work to share.</summary>
    private const int ValuesPerChunk = 16 * 1024;

    public static void Rms(ref NormArguments arguments) => Run(ref arguments, &RmsChunk);

    public static void Layer(ref NormArguments arguments) => Run(ref arguments, &LayerChunk);

    private static void Run(ref NormArguments arguments, delegate* <void*, int, int, void> body)
    {
        fixed (NormArguments* pointer = &arguments)
        {
            long values = (long)arguments.Rows * arguments.Width;
            ComputeTeam.Run(body, pointer, (int)Math.Max(1, values / ValuesPerChunk));
        }
    }

    private static void RmsChunk(void* state, int chunk, int chunks)
    {
        NormArguments* arguments = (NormArguments*)state;
        int width = arguments->Width;
        int end = (int)((long)arguments->Rows * (chunk + 1) / chunks);
        for (int row = (int)((long)arguments->Rows * chunk / chunks); row < end; row++)
        {
            float* input = arguments->Input + ((nint)row * width);
            float meanSquare = SumOfSquares(input, width, mean: 0) / width;
            float scale = 1 / MathF.Sqrt(meanSquare + arguments->Epsilon);
            Scale(input, arguments->Output + ((nint)row * width), width, mean: 0, scale, arguments->Weight, bias: null);
        }
    }

    private static void LayerChunk(void* state, int chunk, int chunks)
    {
        NormArguments* arguments = (NormArguments*)state;
        int width = arguments->Width;
        int end = (int)((long)arguments->Rows * (chunk + 1) / chunks);
        for (int row = (int)((long)arguments->Rows * chunk / chunks); row < end; row++)
        {
            float* input = arguments->Input + ((nint)row * width);
            float* output = arguments->Output + ((nint)row * width);
            float mean = Sum(input, width) / width;
            float variance = SumOfSquares(input, width, mean) / width;
            float scale = 1 / MathF.Sqrt(variance + arguments->Epsilon);
            Scale(input, output, width, mean, scale, arguments->Weight, arguments->Bias);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(float* input, int width)
    {
        Vector256<float> s0 = default;
        Vector256<float> s1 = default;
        Vector256<float> s2 = default;
        Vector256<float> s3 = default;
        int i = 0;
        for (; i + 32 <= width; i += 32)
        {
            s0 += Vector256.Load(input + i);
            s1 += Vector256.Load(input + i + 8);
            s2 += Vector256.Load(input + i + 16);
            s3 += Vector256.Load(input + i + 24);
        }

        for (; i + 8 <= width; i += 8)
        {
            s0 += Vector256.Load(input + i);
        }

        float sum = Vector256.Sum(s0 + s1 + (s2 + s3));
        for (; i < width; i++)
        {
            sum += input[i];
        }

        return sum;
    }

    /// <summary>Sum of <c>(x − mean)²</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumOfSquares(float* input, int width, float mean)
    {
        Vector256<float> m = Vector256.Create(mean);
        Vector256<float> s0 = default;
        Vector256<float> s1 = default;
        Vector256<float> s2 = default;
        Vector256<float> s3 = default;
        int i = 0;
        for (; i + 32 <= width; i += 32)
        {
            Vector256<float> x0 = Vector256.Load(input + i) - m;
            Vector256<float> x1 = Vector256.Load(input + i + 8) - m;
            Vector256<float> x2 = Vector256.Load(input + i + 16) - m;
            Vector256<float> x3 = Vector256.Load(input + i + 24) - m;
            s0 = Vector256.MultiplyAddEstimate(x0, x0, s0);
            s1 = Vector256.MultiplyAddEstimate(x1, x1, s1);
            s2 = Vector256.MultiplyAddEstimate(x2, x2, s2);
            s3 = Vector256.MultiplyAddEstimate(x3, x3, s3);
        }

        for (; i + 8 <= width; i += 8)
        {
            Vector256<float> x = Vector256.Load(input + i) - m;
            s0 = Vector256.MultiplyAddEstimate(x, x, s0);
        }

        float sum = Vector256.Sum(s0 + s1 + (s2 + s3));
        for (; i < width; i++)
        {
            float x = input[i] - mean;
            sum += x * x;
        }

        return sum;
    }

    /// <summary><c>(x − mean) · scale · weight + bias</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(
        float* input,
        float* output,
        int width,
        float mean,
        float scale,
        float* weight,
        float* bias
    )
    {
        Vector256<float> means = Vector256.Create(mean);
        Vector256<float> scales = Vector256.Create(scale);
        int i = 0;
        for (; i + 8 <= width; i += 8)
        {
            Vector256<float> x = (Vector256.Load(input + i) - means) * scales * Vector256.Load(weight + i);
            (bias is null ? x : x + Vector256.Load(bias + i)).Store(output + i);
        }

        for (; i < width; i++)
        {
            float x = (input[i] - mean) * scale * weight[i];
            output[i] = bias is null ? x : x + bias[i];
        }
    }
}
