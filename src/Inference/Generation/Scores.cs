using System.Buffers;
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

    /// <summary>The logarithm of the softmax's denominator, <c>log Σ exp(score)</c>.</summary>
    public static float LogSum(ReadOnlySpan<float> scores)
    {
        float max = Max(scores);
        return max + LogSumExp(scores, max);
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

    /// <summary>The largest score that <paramref name="rank"/> − 1 others reach; the least of all where there are fewer.</summary>
    public static float Largest(ReadOnlySpan<float> scores, int rank)
    {
        if (rank == 1)
        {
            return Max(scores);
        }

        // Quickselect: what is left of the span always holds the wanted place.
        float[] rented = ArrayPool<float>.Shared.Rent(scores.Length);
        scores.CopyTo(rented);
        Span<float> rest = rented.AsSpan(0, scores.Length);
        int place = Math.Min(rank, scores.Length) - 1;
        while (rest.Length > 1)
        {
            float pivot = rest[rest.Length / 2];
            int before = 0;
            int next = 0;
            int after = rest.Length;
            while (next < after)
            {
                if (rest[next] > pivot)
                {
                    (rest[before], rest[next]) = (rest[next], rest[before]);
                    before++;
                    next++;
                }
                else if (rest[next] < pivot)
                {
                    after--;
                    (rest[after], rest[next]) = (rest[next], rest[after]);
                }
                else
                {
                    next++;
                }
            }

            if (place < before)
            {
                rest = rest[..before];
            }
            else if (place >= after)
            {
                rest = rest[after..];
                place -= after;
            }
            else
            {
                rest = rest.Slice(place, 1);
                place = 0;
            }
        }

        float largest = rest[place];
        ArrayPool<float>.Shared.Return(rented);
        return largest;
    }

    /// <summary>Draws a token from the softmax of the scores, which are overwritten.</summary>
    /// <param name="scores">Scores of all tokens.</param>
    /// <param name="random">At least 0 and less than 1: equal numbers draw equal tokens.</param>
    /// <param name="logProbability">The token's log-probability.</param>
    public static int Sample(Span<float> scores, double random, out float logProbability)
    {
        float max = Max(scores);
        Span<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        Vector<float> maxima = new(max);
        foreach (ref Vector<float> vector in vectors)
        {
            vector = Vector.Exp(vector - maxima);
        }

        foreach (ref float score in scores[(vectors.Length * Vector<float>.Count)..])
        {
            score = MathF.Exp(score - max);
        }

        double total = 0;
        foreach (float weight in scores)
        {
            total += weight;
        }

        int drawn = 0;
        double target = random * total;
        double sum = 0;
        for (int token = 0; token < scores.Length && sum <= target; token++)
        {
            if (scores[token] > 0)
            {
                sum += scores[token];
                drawn = token;
            }
        }

        logProbability = (float)(Math.Log(scores[drawn]) - Math.Log(total));
        return drawn;
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
