using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Queries of some rows over keys and values in a cache or in the same projection.</summary>
internal unsafe struct AttentionArguments
{
    public int Rows;
    public int Heads;
    public int HeadWidth;
    public float Scale;

    /// <summary>Queries, <c>[rows, heads × head width]</c>; other rows by <see cref="QueryStride"/>.</summary>
    public float* Query;
    public nint QueryStride;

    /// <summary>Keys and values by place; others by <see cref="Stride"/>.</summary>
    public float* Keys;
    public float* Values;
    public nint Stride;

    /// <summary>Places of keys, or null where a row's keys lie in a row.</summary>
    public int* Locations;

    /// <summary><c>[rows]</c>: a row's first key, as an index of <see cref="Locations"/> or, without them, as a place.</summary>
    public int* Firsts;

    /// <summary><c>[rows]</c>: number of keys.</summary>
    public int* Counts;

    /// <summary>Added to scores by distance: this points at distance 0, others by <see cref="BiasStride"/>; or null.</summary>
    public float* Bias;
    public nint BiasStride;

    /// <summary><c>[rows]</c>: the query's own place among its keys.</summary>
    public int* Positions;

    /// <summary>Where a row's own key and value stand that are to be cached at its last location first; or null.</summary>
    public float* NewKeyValue;

    /// <summary>For each thread, room for the most keys × <see cref="AttentionKernel.PadHeads"/>.</summary>
    public float* Scores;
    public nint ScoresPerPart;

    /// <summary>The result, <c>[rows, heads × head width]</c>.</summary>
    public float* Context;
}

/// <summary>
/// Attention of rows of queries, all heads of a row together: keys are read once, in the order in which they lie, then
/// values likewise. The calling thread's team shares the rows out.
/// </summary>
// Scores are [keys, heads], so that softmax runs over eight heads at a time in the lanes of a vector. The dot products of
// eight heads with a key are summed across lanes together. Memory, not arithmetic, is what attention waits for.
internal static unsafe class AttentionKernel
{
    private const int Lanes = 8;
    private const int FloatsPerCacheLine = 16;

    /// <summary>Keys that are asked for before their turn.</summary>
    private const int Ahead = 2;

    /// <summary>Heads, filled up to whole vectors.</summary>
    public static int PadHeads(int heads) => (heads + Lanes - 1) / Lanes * Lanes;

    public static void Attend(ref AttentionArguments arguments)
    {
        fixed (AttentionArguments* state = &arguments)
        {
            ComputeTeam.Run(&AttendPart, state);
        }
    }

    private static void AttendPart(void* state, int part, int parts)
    {
        ref readonly AttentionArguments arguments = ref *(AttentionArguments*)state;
        float* scores = arguments.Scores + (part * arguments.ScoresPerPart);
        int end = (int)((long)arguments.Rows * (part + 1) / parts);
        for (int row = (int)((long)arguments.Rows * part / parts); row < end; row++)
        {
            AttendRow(in arguments, row, scores);
        }
    }

    private static void AttendRow(ref readonly AttentionArguments arguments, int row, float* scores)
    {
        int first = arguments.Firsts[row];
        int count = arguments.Counts[row];
        int* locations = arguments.Locations is null ? null : arguments.Locations + first;
        float* keys = arguments.Keys + (locations is null ? first * arguments.Stride : 0);
        float* values = arguments.Values + (locations is null ? first * arguments.Stride : 0);
        if (arguments.NewKeyValue is not null)
        {
            nint bytes = arguments.Stride * sizeof(float);
            Buffer.MemoryCopy(
                arguments.NewKeyValue + (row * arguments.QueryStride),
                arguments.Keys + (locations[count - 1] * arguments.Stride),
                bytes,
                bytes
            );
        }

        float* query = arguments.Query + (row * arguments.QueryStride);
        float* bias = arguments.Bias is null
            ? null
            : arguments.Bias - (arguments.Positions[row] * arguments.BiasStride);
        int heads = PadHeads(arguments.Heads);
        int width = arguments.Heads * arguments.HeadWidth;
        for (int i = 0; i < count; i++)
        {
            if (i + Ahead < count)
            {
                Prefetch(keys + ((locations is null ? i + Ahead : locations[i + Ahead]) * arguments.Stride), width);
            }

            nint place = locations is null ? i : locations[i];
            Score(in arguments, query, keys + (place * arguments.Stride), scores + ((nint)i * heads));
        }

        for (int head = 0; head < heads; head += Lanes)
        {
            Softmax(
                scores + head,
                heads,
                count,
                arguments.Scale,
                bias is null ? null : bias + head,
                arguments.BiasStride
            );
        }

        float* context = arguments.Context + ((nint)row * arguments.Heads * arguments.HeadWidth);
        SumValues(in arguments, values, locations, count, scores, context);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* row, int width)
    {
        if (Sse.IsSupported)
        {
            for (int i = 0; i < width; i += FloatsPerCacheLine)
            {
                Sse.Prefetch0(row + i);
            }
        }
    }

    /// <summary>Dot products of all heads of a query with a key.</summary>
    private static void Score(ref readonly AttentionArguments arguments, float* query, float* key, float* scores)
    {
        int width = arguments.HeadWidth;
        int head = 0;
        if (width % Lanes == 0 && Avx.IsSupported)
        {
            for (; head + Lanes <= arguments.Heads; head += Lanes)
            {
                nint offset = (nint)head * width;
                EightDots(query + offset, key + offset, width).Store(scores + head);
            }
        }

        for (; head < arguments.Heads; head++)
        {
            nint offset = (nint)head * width;
            scores[head] = Dot(query + offset, key + offset, width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> EightDots(float* query, float* key, int width)
    {
        Vector256<float> s0 = Products(query, key, width);
        Vector256<float> s1 = Products(query + width, key + width, width);
        Vector256<float> s2 = Products(query + (2 * width), key + (2 * width), width);
        Vector256<float> s3 = Products(query + (3 * width), key + (3 * width), width);
        Vector256<float> s4 = Products(query + (4 * width), key + (4 * width), width);
        Vector256<float> s5 = Products(query + (5 * width), key + (5 * width), width);
        Vector256<float> s6 = Products(query + (6 * width), key + (6 * width), width);
        Vector256<float> s7 = Products(query + (7 * width), key + (7 * width), width);
        // Pairs, then fours, then the two halves: lane i is the sum of vector i.
        Vector256<float> low = Avx.HorizontalAdd(Avx.HorizontalAdd(s0, s1), Avx.HorizontalAdd(s2, s3));
        Vector256<float> high = Avx.HorizontalAdd(Avx.HorizontalAdd(s4, s5), Avx.HorizontalAdd(s6, s7));
        return Avx.Permute2x128(low, high, 0x20) + Avx.Permute2x128(low, high, 0x31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Products(float* left, float* right, int count)
    {
        Vector256<float> sum = Vector256.Load(left) * Vector256.Load(right);
        for (int i = Lanes; i < count; i += Lanes)
        {
            sum = Vector256.MultiplyAddEstimate(Vector256.Load(left + i), Vector256.Load(right + i), sum);
        }

        return sum;
    }

    private static float Dot(float* left, float* right, int count)
    {
        Vector256<float> sums = Vector256<float>.Zero;
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
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

    /// <summary>Eight heads' scores become weights, in place.</summary>
    private static void Softmax(float* scores, int stride, int count, float scale, float* bias, nint biasStride)
    {
        Vector256<float> max = Vector256.Create(float.NegativeInfinity);
        for (int i = 0; i < count; i++)
        {
            float* at = scores + ((nint)i * stride);
            Vector256<float> score = Vector256.Load(at) * scale;
            if (bias is not null)
            {
                score += Vector256.Load(bias + (i * biasStride));
            }

            score.Store(at);
            max = Vector256.Max(max, score);
        }

        Vector256<float> sum = Vector256<float>.Zero;
        for (int i = 0; i < count; i++)
        {
            float* at = scores + ((nint)i * stride);
            Vector256<float> weight = VectorMath.Exp(Vector256.Load(at) - max);
            weight.Store(at);
            sum += weight;
        }

        Vector256<float> inverse = Vector256<float>.One / sum;
        for (int i = 0; i < count; i++)
        {
            float* at = scores + ((nint)i * stride);
            (Vector256.Load(at) * inverse).Store(at);
        }
    }

    /// <summary>Sums of values by weight, four keys at a time so that the sums are loaded and stored less often.</summary>
    private static void SumValues(
        ref readonly AttentionArguments arguments,
        float* values,
        int* locations,
        int count,
        float* weights,
        float* context
    )
    {
        int heads = PadHeads(arguments.Heads);
        nint stride = arguments.Stride;
        int width = arguments.Heads * arguments.HeadWidth;
        new Span<float>(context, arguments.Heads * arguments.HeadWidth).Clear();
        int i = 0;
        for (; i + 4 <= count; i += 4)
        {
            for (int next = i + 4; next < Math.Min(i + 8, count); next++)
            {
                Prefetch(values + ((locations is null ? next : locations[next]) * stride), width);
            }

            float* v0 = values + ((locations is null ? i : locations[i]) * stride);
            float* v1 = values + ((locations is null ? i + 1 : locations[i + 1]) * stride);
            float* v2 = values + ((locations is null ? i + 2 : locations[i + 2]) * stride);
            float* v3 = values + ((locations is null ? i + 3 : locations[i + 3]) * stride);
            float* at = weights + ((nint)i * heads);
            for (int head = 0; head < arguments.Heads; head++, at++)
            {
                nint offset = (nint)head * arguments.HeadWidth;
                AddFour(
                    context + offset,
                    v0 + offset,
                    v1 + offset,
                    v2 + offset,
                    v3 + offset,
                    at,
                    heads,
                    arguments.HeadWidth
                );
            }
        }

        for (; i < count; i++)
        {
            float* value = values + ((locations is null ? i : locations[i]) * stride);
            float* at = weights + ((nint)i * heads);
            for (int head = 0; head < arguments.Heads; head++)
            {
                nint offset = (nint)head * arguments.HeadWidth;
                AddOne(context + offset, value + offset, at[head], arguments.HeadWidth);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddFour(
        float* sums,
        float* v0,
        float* v1,
        float* v2,
        float* v3,
        float* weights,
        nint stride,
        int count
    )
    {
        Vector256<float> w0 = Vector256.Create(weights[0]);
        Vector256<float> w1 = Vector256.Create(weights[stride]);
        Vector256<float> w2 = Vector256.Create(weights[2 * stride]);
        Vector256<float> w3 = Vector256.Create(weights[3 * stride]);
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            Vector256<float> sum = Vector256.MultiplyAddEstimate(Vector256.Load(v0 + i), w0, Vector256.Load(sums + i));
            sum = Vector256.MultiplyAddEstimate(Vector256.Load(v1 + i), w1, sum);
            sum = Vector256.MultiplyAddEstimate(Vector256.Load(v2 + i), w2, sum);
            Vector256.MultiplyAddEstimate(Vector256.Load(v3 + i), w3, sum).Store(sums + i);
        }

        for (; i < count; i++)
        {
            sums[i] +=
                (v0[i] * weights[0])
                + (v1[i] * weights[stride])
                + (v2[i] * weights[2 * stride])
                + (v3[i] * weights[3 * stride]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddOne(float* sums, float* values, float weight, int count)
    {
        Vector256<float> weights = Vector256.Create(weight);
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            Vector256
                .MultiplyAddEstimate(Vector256.Load(values + i), weights, Vector256.Load(sums + i))
                .Store(sums + i);
        }

        for (; i < count; i++)
        {
            sums[i] += values[i] * weight;
        }
    }
}
