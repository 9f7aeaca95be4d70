using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Attention;
using Seq2Seq.Inference.Layers.Kernels;
using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Finds each row's likeliest token without most of the projection to the vocabulary: 8-bit products of all tokens with a
/// proven bound on their error, then float32 only where the bound leaves the likeliest token open. The logits that are
/// written are the bits of the projection itself, so the likeliest token is the same; all others are minus infinity.
/// </summary>
// With ŵ and x̂ the quantised weight and hidden states, w·x − ŵ·x̂ = ŵ·(x − x̂) + (w − ŵ)·x, so that by Cauchy and Schwarz
//   |w·x − ŵ·x̂| ≤ ‖ŵ‖ ‖x − x̂‖ + ‖w − ŵ‖ ‖x‖.
// ‖ŵ‖ and ‖w − ŵ‖ are known of each token beforehand, the other two of each row. The token whose approximate logit is the
// largest is computed first; one whose upper bound is below its logit can't be the likeliest. The rounding of both products is in the bound too: a sum of n
// float32 products is at most n ε ‖w‖ ‖x‖ off (Higham 2002, section 3.1).
internal abstract class VocabularyScreen : IDisposable
{
    /// <summary>A screen for a layer; null where it has no weights in float32, or the processor no 8-bit products.</summary>
    /// <param name="exact">Model width → vocabulary; it must live as long as the screen.</param>
    public static VocabularyScreen? Create(Linear exact)
    {
        ArgumentNullException.ThrowIfNull(exact);
        return !exact.HoldsWeights ? null
            : VnniArithmetic.IsSupported ? new VocabularyScreen<VnniArithmetic>(exact)
            : Avx2Arithmetic.IsSupported ? new VocabularyScreen<Avx2Arithmetic>(exact)
            : null;
    }

    /// <param name="hidden">Hidden states <c>[rows, model width]</c>.</param>
    /// <param name="batch">The rows' wanted tokens, whose logits are always written, and which are no measure for the others.</param>
    /// <param name="logits">Resized to the rows.</param>
    public abstract void Forward(Rows hidden, DecoderBatch batch, Rows logits);

    public abstract void Dispose();
}

/// <inheritdoc/>
internal sealed unsafe class VocabularyScreen<TArithmetic> : VocabularyScreen
    where TArithmetic : struct, IInt8Arithmetic
{
    private const int ChunksPerThread = 4;

    /// <summary>Tokens that share a bound.</summary>
    private const int GroupTokens = WeightMatrix.RowGroup;

    /// <summary>Half the distance from 1 to the next float.</summary>
    private const double Epsilon = 1.0 / (1 << 24);

    private readonly Linear _exact;
    private readonly Int8Linear<TArithmetic> _approximate;
    private readonly AlignedBuffer<float> _norms;
    private readonly AlignedBuffer<float> _residuals;
    private readonly float _slack;

    public VocabularyScreen(Linear exact)
    {
        _exact = exact;
        int tokens = exact.OutFeatures;
        int width = exact.InFeatures;
        LayerMatrix weights = new(exact);
        using (Tensor? bias = exact.Bias.IsEmpty ? null : tensor(exact.Bias.ToArray()).DetachFromDisposeScope())
        {
            _approximate = new Int8Linear<TArithmetic>(weights, bias);
        }

        int groups = (tokens + GroupTokens - 1) / GroupTokens;
        _norms = new AlignedBuffer<float>(groups);
        _residuals = new AlignedBuffer<float>(groups);
        weights.Read(MeasureTokens);
        float largestBias = 0;
        foreach (float bias in exact.Bias)
        {
            largestBias = float.IsFinite(bias) ? MathF.Max(largestBias, MathF.Abs(bias)) : largestBias;
        }

        // What the additions of the bias may round, and sums so small that they are flushed to zero.
        _slack = Above((6 * Epsilon * largestBias) + 1e-30);
    }

    public override void Forward(Rows hidden, DecoderBatch batch, Rows logits)
    {
        _approximate.Forward(hidden, logits);
        Work work = new()
        {
            Screen = this,
            Hidden = hidden,
            Batch = batch,
            Logits = logits,
        };
        // The work is on the stack and stays there until all chunks are done.
        ComputeTeam.Run(
            &FinishChunk,
            Unsafe.AsPointer(ref work),
            Math.Min(hidden.Count, ChunksPerThread * ComputeTeam.CurrentCount)
        );
    }

    public override void Dispose()
    {
        _approximate.Dispose();
        _norms.Dispose();
        _residuals.Dispose();
    }

    private static void FinishChunk(void* state, int chunk, int chunks)
    {
        ref Work work = ref Unsafe.AsRef<Work>(state);
        int from = (int)((long)work.Hidden.Count * chunk / chunks);
        int to = (int)((long)work.Hidden.Count * (chunk + 1) / chunks);
        for (int row = from; row < to; row++)
        {
            work.Screen.Finish(work.Hidden.Row(row), work.Logits.Row(row), work.Batch.WantedTokens(row));
        }
    }

    /// <summary>Makes a row's logits of its approximate ones.</summary>
    private void Finish(ReadOnlySpan<float> hidden, Span<float> logits, ReadOnlySpan<int> wanted)
    {
        foreach (int token in wanted)
        {
            logits[token] = float.NegativeInfinity;
        }

        int[] candidates = ArrayPool<int>.Shared.Rent(logits.Length);
        fixed (
            float* input = hidden,
                output = logits
        )
        {
            candidates[0] = FindLargest(logits);
            _exact.ForwardSome(input, candidates.AsSpan(0, 1), output);
            int count = KeepCandidates(logits, Measure(hidden), logits[candidates[0]], candidates);
            _exact.ForwardSome(input, candidates.AsSpan(0, count), output);
            _exact.ForwardSome(input, wanted, output);
        }

        ArrayPool<int>.Shared.Return(candidates);
    }

    /// <summary>The first of the largest values; 0 where there is none.</summary>
    private static int FindLargest(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        float largest = float.NegativeInfinity;
        int first = 0;
        Vector<float> largests = new(largest);
        for (int i = 0; i < vectors.Length; i++)
        {
            if (Vector.GreaterThanAny(vectors[i], largests))
            {
                FindLarger(values, i * Vector<float>.Count, (i + 1) * Vector<float>.Count, ref largest, ref first);
                largests = new Vector<float>(largest);
            }
        }

        FindLarger(values, vectors.Length * Vector<float>.Count, values.Length, ref largest, ref first);
        return first;
    }

    private static void FindLarger(ReadOnlySpan<float> values, int from, int to, ref float largest, ref int place)
    {
        for (int i = from; i < to; i++)
        {
            if (values[i] > largest)
            {
                (largest, place) = (values[i], i);
            }
        }
    }

    /// <summary>
    /// Finds the tokens that may reach a logit, in order; every one where the bounds are no numbers. The others' logits become
    /// minus infinity.
    /// </summary>
    private int KeepCandidates(Span<float> logits, Deviation deviation, float reached, Span<int> candidates)
    {
        int count = 0;
        for (int group = 0; group * GroupTokens < logits.Length; group++)
        {
            float least = reached - ErrorOf(group, deviation) - (8 * (float)Epsilon * MathF.Abs(reached));
            Span<float> tokens = logits[(group * GroupTokens)..Math.Min((group + 1) * GroupTokens, logits.Length)];
            if (!AreBelow(tokens, least))
            {
                for (int i = 0; i < tokens.Length; i++)
                {
                    if (!(tokens[i] < least))
                    {
                        candidates[count++] = (group * GroupTokens) + i;
                    }
                }
            }

            tokens.Fill(float.NegativeInfinity);
        }

        return count;
    }

    private static bool AreBelow(ReadOnlySpan<float> values, float bound)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        Vector<float> bounds = new(bound);
        foreach (Vector<float> vector in vectors)
        {
            if (!Vector.LessThanAll(vector, bounds))
            {
                return false;
            }
        }

        foreach (float value in values[(vectors.Length * Vector<float>.Count)..])
        {
            if (!(value < bound))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>How far the approximate logits of a group may be off.</summary>
    private float ErrorOf(int group, Deviation deviation) =>
        (_norms.Pointer[group] * deviation.Residual) + (_residuals.Pointer[group] * deviation.Norm) + _slack;

    /// <summary>
    /// What is known of the tokens beforehand: ‖ŵ‖, and ‖w − ŵ‖ with what rounding adds to it; of a group the largest. A block
    /// of rows is whole groups.
    /// </summary>
    private void MeasureTokens(float* weights, int first, int count)
    {
        int width = _exact.InFeatures;
        float[] quantised = ArrayPool<float>.Shared.Rent(width);
        for (int i = 0; i < count; i++)
        {
            fixed (float* approximate = quantised)
            {
                _approximate.ReadWeights(first + i, scale: 1, approximate, accumulate: false);
            }

            Deviation deviation = MeasureToken(new(weights + ((nint)i * width), width), quantised);
            int group = (first + i) / GroupTokens;
            _norms.Pointer[group] = MathF.Max(_norms.Pointer[group], deviation.Norm);
            _residuals.Pointer[group] = MathF.Max(_residuals.Pointer[group], deviation.Residual);
        }

        ArrayPool<float>.Shared.Return(quantised);
    }

    private static Deviation MeasureToken(ReadOnlySpan<float> weights, ReadOnlySpan<float> quantised)
    {
        double norm = 0;
        double quantisedNorm = 0;
        double residual = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            double difference = (double)weights[i] - quantised[i];
            norm += (double)weights[i] * weights[i];
            quantisedNorm += (double)quantised[i] * quantised[i];
            residual += difference * difference;
        }

        // A sum of as many products, and a bias; ReadWeights rounds ŵ once.
        double rounding = (weights.Length + 8) * Epsilon * (Math.Sqrt(norm) + Math.Sqrt(quantisedNorm));
        return new Deviation(Above(Math.Sqrt(residual) + rounding), Above(Math.Sqrt(quantisedNorm)));
    }

    /// <summary>What is known of a row: ‖x − x̂‖ with what rounding adds to it, and ‖x‖.</summary>
    private static Deviation Measure(ReadOnlySpan<float> hidden)
    {
        int width = hidden.Length;
        Span<byte> quantised = stackalloc byte[Int8Gemm<TArithmetic>.PaddedDepth(width)];
        (float scale, float offset) = Int8Gemm<TArithmetic>.QuantiseRow(hidden, quantised);
        double norm = 0;
        double residual = 0;
        for (int i = 0; i < width; i++)
        {
            double difference = hidden[i] - (offset + ((double)scale * quantised[i]));
            norm += (double)hidden[i] * hidden[i];
            residual += difference * difference;
        }

        // The approximate logit is made of two sums, of which each is at most √width ‖ŵ‖ times its factor.
        double largest = (byte.MaxValue * (double)scale) + Math.Abs((double)offset);
        double rounding = 8 * Epsilon * ((Math.Sqrt(width) * largest) + Math.Sqrt(norm) + Math.Sqrt(residual));
        return new Deviation(Above(Math.Sqrt(residual) + rounding), Above(Math.Sqrt(norm)));
    }

    /// <summary>A float above a value, by more than the bounds' own arithmetic rounds.</summary>
    private static float Above(double value) => MathF.BitIncrement((float)(value * (1 + 1e-6)));

    /// <summary>How far a vector's quantised form is off, and how long a vector is: a row its own, a token its quantised one.</summary>
    private readonly record struct Deviation(float Residual, float Norm);

    private struct Work
    {
        public VocabularyScreen<TArithmetic> Screen;
        public Rows Hidden;
        public DecoderBatch Batch;
        public Rows Logits;
    }
}
