using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>One query of one head over its keys and values.</summary>
internal unsafe struct AttentionArguments
{
    /// <summary><c>[head width]</c></summary>
    public float* Query;

    /// <summary>The first key; others by <see cref="Stride"/>.</summary>
    public float* Keys;

    /// <summary>The first value; others by <see cref="Stride"/>.</summary>
    public float* Values;

    /// <summary>Floats from one key, or value, to the next.</summary>
    public nint Stride;

    /// <summary>Which keys and values, or null for the first <see cref="Count"/>.</summary>
    public int* Locations;

    public int Count;

    public int HeadWidth;

    public float Scale;

    /// <summary>Added to the scores, <c>[count]</c>; or null.</summary>
    public float* Bias;

    /// <summary>Room for <see cref="Count"/> scores.</summary>
    public float* Scores;

    /// <summary>The result, <c>[head width]</c>.</summary>
    public float* Context;
}

/// <summary>Attention of a query: scores, softmax, weighted sum of values.</summary>
internal static unsafe class AttentionKernel
{
    public static void Attend(ref readonly AttentionArguments arguments)
    {
        float* scores = arguments.Scores;
        int count = arguments.Count;
        float max = float.NegativeInfinity;
        for (int i = 0; i < count; i++)
        {
            float* key = arguments.Keys + (At(in arguments, i) * arguments.Stride);
            float score = Dot(arguments.Query, key, arguments.HeadWidth) * arguments.Scale;
            score += arguments.Bias is null ? 0 : arguments.Bias[i];
            scores[i] = score;
            max = MathF.Max(max, score);
        }

        float sum = 0;
        for (int i = 0; i < count; i++)
        {
            scores[i] = MathF.Exp(scores[i] - max);
            sum += scores[i];
        }

        float inverse = 1 / sum;
        new Span<float>(arguments.Context, arguments.HeadWidth).Clear();
        for (int i = 0; i < count; i++)
        {
            float* value = arguments.Values + (At(in arguments, i) * arguments.Stride);
            AddScaled(arguments.Context, value, scores[i] * inverse, arguments.HeadWidth);
        }
    }

    private static nint At(ref readonly AttentionArguments arguments, int index) =>
        arguments.Locations is null ? index : arguments.Locations[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot(float* left, float* right, int count)
    {
        Vector256<float> sums = Vector256<float>.Zero;
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            sums = Vector256.MultiplyAddEstimate(Vector256.Load(left + i), Vector256.Load(right + i), sums);
        }

        float sum = Vector256.Sum(sums);
        for (; i < count; i++)
        {
            sum += left[i] * right[i];
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(float* result, float* values, float scale, int count)
    {
        Vector256<float> scales = Vector256.Create(scale);
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            Vector256
                .MultiplyAddEstimate(Vector256.Load(values + i), scales, Vector256.Load(result + i))
                .Store(result + i);
        }

        for (; i < count; i++)
        {
            result[i] += values[i] * scale;
        }
    }
}
