using System.Numerics;
using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Generation;

/// <summary>Vectorised passes over one row of logits or log-probabilities, in float32 as the reference computes them.</summary>
internal static class Scores
{
    /// <summary>The first index of the largest score; 0 if there is none (all NaN).</summary>
    public static int ArgMax(ReadOnlySpan<float> scores, out float max)
    {
        max = Max(scores);
        return Math.Max(0, IndexOf(scores, max));
    }

    public static float Max(ReadOnlySpan<float> scores)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        Vector<float> widest = new(float.NegativeInfinity);
        foreach (Vector<float> vector in vectors)
        {
            widest = Vector.MaxNative(widest, vector);
        }

        float max = float.NegativeInfinity;
        for (int i = 0; i < Vector<float>.Count; i++)
        {
            max = MathF.Max(max, widest[i]);
        }

        foreach (float score in scores[(vectors.Length * Vector<float>.Count)..])
        {
            max = MathF.Max(max, score);
        }

        return max;
    }

    /// <summary><c>log Σ exp(score − max)</c>; with <paramref name="max"/> added it is the logarithm of the softmax's denominator.</summary>
    public static float LogSumExp(ReadOnlySpan<float> scores, float max)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        Vector<float> sums = Vector<float>.Zero;
        Vector<float> maxima = new(max);
        foreach (Vector<float> vector in vectors)
        {
            sums += Vector.Exp(vector - maxima);
        }

        float sum = Vector.Sum(sums);
        foreach (float score in scores[(vectors.Length * Vector<float>.Count)..])
        {
            sum += MathF.Exp(score - max);
        }

        return MathF.Log(sum);
    }

    /// <summary>Replaces scores by <c>score − max − log Σ exp(score − max)</c>.</summary>
    public static void LogSoftmax(Span<float> scores)
    {
        float max = Max(scores);
        float logSum = LogSumExp(scores, max);
        Span<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        Vector<float> maxima = new(max);
        Vector<float> logSums = new(logSum);
        foreach (ref Vector<float> vector in vectors)
        {
            vector = vector - maxima - logSums;
        }

        foreach (ref float score in scores[(vectors.Length * Vector<float>.Count)..])
        {
            score = score - max - logSum;
        }
    }

    private static int IndexOf(ReadOnlySpan<float> scores, float value)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        Vector<float> values = new(value);
        int start = 0;
        foreach (Vector<float> vector in vectors)
        {
            if (Vector.EqualsAny(vector, values))
            {
                break;
            }

            start += Vector<float>.Count;
        }

        for (int i = start; i < scores.Length; i++)
        {
            if (scores[i].Equals(value))
            {
                return i;
            }
        }

        return -1;
    }
}
