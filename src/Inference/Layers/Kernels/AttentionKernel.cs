using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Attention of rows with lists of keys, for AVX2: scores, softmax and weighted sum of one row and head at a time.</summary>
// A key and its value are one run of memory, [keys of all heads | values of all heads], found through a list of pointers
// that is made once a group. The rows of a group follow each other for the same head, so that its keys come from the first
// level cache after the first row.
//   scores: eight keys at a time, one accumulator each over the head's width, then one transposing sum for all eight;
//           the last keys fewer than eight repeat the last one, and their scores are never used.
//   softmax: on the scores in scratch memory, filled up with −∞ to whole vectors; the division is left to the end.
//   sum: 32 columns of the values at a time over all keys.
// The caches of many rows don't fit any processor cache, and one head's part of a key is too short a run for the processor
// to foresee the next: so each head asks for the next head's part of the keys, and of the values, that it reads.
// A head width that isn't a multiple of eight ends with a masked vector. Order and shape of all sums depend on the row's
// own length only: a row's result is the same bits in any company.
internal static unsafe class AttentionKernel
{
    private const int Lanes = 8;
    private const int FloatsPerCacheLine = 16;

    /// <summary>Scratch up to this size lies on the stack.</summary>
    private const int StackBytes = 16 * 1024;

    /// <summary>Runs on the calling thread's team.</summary>
    public static void Run(ref AttentionArguments arguments)
    {
        // Whole groups where there are enough of them for all threads, else the heads of single keys: groups differ in length.
        int threads = ComputeTeam.CurrentCount;
        bool isWhole = threads == 1 || arguments.GroupCount >= 4 * threads;
        arguments.HeadsPerChunk = isWhole ? arguments.Heads : arguments.Heads / arguments.KeyHeads;
        fixed (AttentionArguments* pointer = &arguments)
        {
            ComputeTeam.Run(&RunChunk, pointer, arguments.GroupCount * (isWhole ? 1 : arguments.KeyHeads));
        }
    }

    [SkipLocalsInit]
    private static void RunChunk(void* state, int chunk, int chunks)
    {
        AttentionArguments* arguments = (AttentionArguments*)state;
        int chunksPerGroup = arguments->Heads / arguments->HeadsPerChunk;
        AttentionGroup group = arguments->Groups[chunk / chunksPerGroup];
        // A window that does not begin at a whole vector ends up to one vector further.
        int padded = ((group.Length + group.SideLength + Lanes - 1) / Lanes * Lanes) + Lanes;
        int perKey = group.SideLength == 0 ? 1 : 2;
        nuint bytes = (nuint)padded * (nuint)(perKey * (sizeof(float) + sizeof(float*)));
        byte* onStack = stackalloc byte[bytes <= StackBytes ? (int)bytes : 0];
        byte* scratch = bytes <= StackBytes ? onStack : (byte*)NativeMemory.Alloc(bytes);
        float* floats = (float*)(scratch + ((nint)padded * perKey * sizeof(float*)));
        Scratch memory = new()
        {
            Keys = (float**)scratch,
            RowKeys = (float**)scratch + ((perKey - 1) * padded),
            Scores = floats,
            RowBiases = floats + ((perKey - 1) * padded),
        };
        FindKeys(arguments, in group, memory.Keys, padded);
        int firstHead = chunk % chunksPerGroup * arguments->HeadsPerChunk;
        for (int head = firstHead; head < firstHead + arguments->HeadsPerChunk; head++)
        {
            AttendGroup(arguments, in group, head, in memory);
        }

        if (scratch != onStack)
        {
            NativeMemory.Free(scratch);
        }
    }

    private static void FindKeys(AttentionArguments* arguments, in AttentionGroup group, float** keys, int padded)
    {
        for (int i = 0; i < group.Length; i++)
        {
            int index = group.FirstKey + i;
            nint location = arguments->Locations is null ? index : arguments->Locations[index];
            keys[i] = arguments->Keys + (location * arguments->KeyStride);
        }

        int length = group.Length + group.SideLength;
        for (int i = group.Length; i < length; i++)
        {
            nint location = group.FirstSideKey + i - group.Length;
            keys[i] = arguments->SideKeys + (location * arguments->SideKeyStride);
        }

        for (int i = length; i < padded; i++)
        {
            keys[i] = keys[length - 1];
        }
    }

    private static void AttendGroup(
        AttentionArguments* arguments,
        in AttentionGroup group,
        int head,
        in Scratch scratch
    )
    {
        int headWidth = arguments->HeadWidth;
        int headsPerKey = arguments->Heads / arguments->KeyHeads;
        nint column = (nint)head * headWidth;
        nint keyColumn = (nint)(head / headsPerKey) * headWidth;
        nint width = (nint)arguments->Heads * headWidth;
        nint keyWidth = (nint)arguments->KeyHeads * headWidth;
        if (arguments->NewKeys is not null && head % headsPerKey == 0)
        {
            StoreNewKeys(arguments, in group, keyColumn, keyWidth, scratch.Keys);
        }

        for (int i = 0; i < group.RowCount; i++)
        {
            nint row = group.FirstRow + i;
            int start = group.StartFor(i);
            int length = group.EndFor(i) - start;
            float** keys = scratch.Keys + start;
            float* bias = arguments->Bias is null
                ? null
                : arguments->Bias + (head * arguments->BiasStride) - group.PositionOf(i) + start;
            if (group.SideLength > 0)
            {
                AppendSide(arguments, in group, head, i, length, ref keys, ref bias, in scratch);
                length += group.SideLength;
            }

            float* query = arguments->Queries + (row * arguments->QueryStride) + column;
            Scores(query, keys, keyColumn, headWidth, length, arguments->Scale, bias, scratch.Scores);
            float sum = Softmax(scratch.Scores, length);
            float* output = arguments->Output + (row * width) + column;
            WeightedSum(scratch.Scores, keys, keyWidth + keyColumn, headWidth, length, 1 / sum, output);
        }
    }

    /// <summary>Puts the side keys and their biases behind those that a row sees of the others.</summary>
    private static void AppendSide(
        AttentionArguments* arguments,
        in AttentionGroup group,
        int head,
        int row,
        int length,
        ref float** keys,
        ref float* bias,
        in Scratch scratch
    )
    {
        int padding = Lanes - 1;
        new ReadOnlySpan<nint>(keys, length).CopyTo(new Span<nint>(scratch.RowKeys, length));
        new ReadOnlySpan<nint>(scratch.Keys + group.Length, group.SideLength + padding).CopyTo(
            new Span<nint>(scratch.RowKeys + length, group.SideLength + padding)
        );
        keys = scratch.RowKeys;
        if (bias is null && arguments->SideBias is null)
        {
            return;
        }

        Span<float> biases = new(scratch.RowBiases, length + group.SideLength + padding);
        biases.Clear();
        if (bias is not null)
        {
            new ReadOnlySpan<float>(bias, length).CopyTo(biases);
        }

        if (arguments->SideBias is not null)
        {
            float* side =
                arguments->SideBias
                + (head * arguments->SideBiasStride)
                - arguments->SidePositions[group.FirstRow + row];
            new ReadOnlySpan<float>(side, group.SideLength).CopyTo(biases[length..]);
        }

        bias = scratch.RowBiases;
    }

    private static void StoreNewKeys(
        AttentionArguments* arguments,
        in AttentionGroup group,
        nint column,
        nint width,
        float** keys
    )
    {
        int headWidth = arguments->HeadWidth;
        for (int i = 0; i < group.RowCount; i++)
        {
            float* source = arguments->NewKeys + ((group.FirstRow + i) * arguments->QueryStride) + column;
            float* place = keys[group.PositionOf(i)] + column;
            new ReadOnlySpan<float>(source, headWidth).CopyTo(new Span<float>(place, headWidth));
            new ReadOnlySpan<float>(source + width, headWidth).CopyTo(new Span<float>(place + width, headWidth));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scores(
        float* query,
        float** keys,
        nint column,
        int headWidth,
        int length,
        float scale,
        float* bias,
        float* scores
    )
    {
        int whole = headWidth / Lanes * Lanes;
        Vector256<float> mask = TailMask(headWidth - whole);
        Vector256<float> scales = Vector256.Create(scale);
        for (int i = 0; i < length; i += Lanes)
        {
            float* k0 = keys[i] + column;
            float* k1 = keys[i + 1] + column;
            float* k2 = keys[i + 2] + column;
            float* k3 = keys[i + 3] + column;
            float* k4 = keys[i + 4] + column;
            float* k5 = keys[i + 5] + column;
            float* k6 = keys[i + 6] + column;
            float* k7 = keys[i + 7] + column;
            Vector256<float> s0 = default;
            Vector256<float> s1 = default;
            Vector256<float> s2 = default;
            Vector256<float> s3 = default;
            Vector256<float> s4 = default;
            Vector256<float> s5 = default;
            Vector256<float> s6 = default;
            Vector256<float> s7 = default;
            for (nint j = 0; j < whole; j += Lanes)
            {
                if (j % FloatsPerCacheLine == 0)
                {
                    nint next = headWidth + j;
                    Sse.Prefetch0(k0 + next);
                    Sse.Prefetch0(k1 + next);
                    Sse.Prefetch0(k2 + next);
                    Sse.Prefetch0(k3 + next);
                    Sse.Prefetch0(k4 + next);
                    Sse.Prefetch0(k5 + next);
                    Sse.Prefetch0(k6 + next);
                    Sse.Prefetch0(k7 + next);
                }

                Vector256<float> q = Vector256.Load(query + j);
                s0 = Fma.MultiplyAdd(q, Vector256.Load(k0 + j), s0);
                s1 = Fma.MultiplyAdd(q, Vector256.Load(k1 + j), s1);
                s2 = Fma.MultiplyAdd(q, Vector256.Load(k2 + j), s2);
                s3 = Fma.MultiplyAdd(q, Vector256.Load(k3 + j), s3);
                s4 = Fma.MultiplyAdd(q, Vector256.Load(k4 + j), s4);
                s5 = Fma.MultiplyAdd(q, Vector256.Load(k5 + j), s5);
                s6 = Fma.MultiplyAdd(q, Vector256.Load(k6 + j), s6);
                s7 = Fma.MultiplyAdd(q, Vector256.Load(k7 + j), s7);
            }

            if (whole < headWidth)
            {
                Vector256<float> q = Avx.MaskLoad(query + whole, mask);
                s0 = Fma.MultiplyAdd(q, Avx.MaskLoad(k0 + whole, mask), s0);
                s1 = Fma.MultiplyAdd(q, Avx.MaskLoad(k1 + whole, mask), s1);
                s2 = Fma.MultiplyAdd(q, Avx.MaskLoad(k2 + whole, mask), s2);
                s3 = Fma.MultiplyAdd(q, Avx.MaskLoad(k3 + whole, mask), s3);
                s4 = Fma.MultiplyAdd(q, Avx.MaskLoad(k4 + whole, mask), s4);
                s5 = Fma.MultiplyAdd(q, Avx.MaskLoad(k5 + whole, mask), s5);
                s6 = Fma.MultiplyAdd(q, Avx.MaskLoad(k6 + whole, mask), s6);
                s7 = Fma.MultiplyAdd(q, Avx.MaskLoad(k7 + whole, mask), s7);
            }

            // Pairs of lanes of pairs of sums, twice; then the two halves.
            Vector256<float> low = Avx.HorizontalAdd(Avx.HorizontalAdd(s0, s1), Avx.HorizontalAdd(s2, s3));
            Vector256<float> high = Avx.HorizontalAdd(Avx.HorizontalAdd(s4, s5), Avx.HorizontalAdd(s6, s7));
            Vector256<float> sums = Avx.Permute2x128(low, high, 0x20) + Avx.Permute2x128(low, high, 0x31);
            sums *= scales;
            if (bias is not null)
            {
                sums += Vector256.Load(bias + i);
            }

            sums.Store(scores + i);
        }
    }

    /// <summary>Replaces scores by <c>e^(score − max)</c>, filled up with zeros to whole vectors; returns their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Softmax(float* scores, int length)
    {
        int padded = (length + Lanes - 1) / Lanes * Lanes;
        for (int i = length; i < padded; i++)
        {
            scores[i] = float.NegativeInfinity;
        }

        Vector256<float> max = Vector256.Load(scores);
        for (int i = Lanes; i < padded; i += Lanes)
        {
            max = Avx.Max(max, Vector256.Load(scores + i));
        }

        Vector128<float> half = Sse.Max(max.GetLower(), max.GetUpper());
        half = Sse.Max(half, Sse.MoveHighToLow(half, half));
        half = Sse.MaxScalar(half, Sse.Shuffle(half, half, 1));
        max = Avx2.BroadcastScalarToVector256(half);
        Vector256<float> sum = default;
        for (int i = 0; i < padded; i += Lanes)
        {
            Vector256<float> power = VectorMath.Exp(Vector256.Load(scores + i) - max);
            power.Store(scores + i);
            sum += power;
        }

        return Vector256.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum(
        float* weights,
        float** keys,
        nint column,
        int headWidth,
        int length,
        float scale,
        float* output
    )
    {
        Vector256<float> scales = Vector256.Create(scale);
        int i = 0;
        for (; i + (4 * Lanes) <= headWidth; i += 4 * Lanes)
        {
            // Two sums a column, over even and odd keys: eight independent sums hide the latency.
            Vector256<float> e0 = default;
            Vector256<float> e1 = default;
            Vector256<float> e2 = default;
            Vector256<float> e3 = default;
            Vector256<float> o0 = default;
            Vector256<float> o1 = default;
            Vector256<float> o2 = default;
            Vector256<float> o3 = default;
            nint offset = column + i;
            // An odd length meets one more key: its weight is a zero of the softmax's padding.
            for (int j = 0; j < length; j += 2)
            {
                float* even = keys[j] + offset;
                float* odd = keys[j + 1] + offset;
                Sse.Prefetch0(even + headWidth);
                Sse.Prefetch0(even + headWidth + FloatsPerCacheLine);
                Sse.Prefetch0(odd + headWidth);
                Sse.Prefetch0(odd + headWidth + FloatsPerCacheLine);
                Vector256<float> w = Avx.BroadcastScalarToVector256(weights + j);
                e0 = Fma.MultiplyAdd(w, Vector256.Load(even), e0);
                e1 = Fma.MultiplyAdd(w, Vector256.Load(even + 8), e1);
                e2 = Fma.MultiplyAdd(w, Vector256.Load(even + 16), e2);
                e3 = Fma.MultiplyAdd(w, Vector256.Load(even + 24), e3);
                w = Avx.BroadcastScalarToVector256(weights + j + 1);
                o0 = Fma.MultiplyAdd(w, Vector256.Load(odd), o0);
                o1 = Fma.MultiplyAdd(w, Vector256.Load(odd + 8), o1);
                o2 = Fma.MultiplyAdd(w, Vector256.Load(odd + 16), o2);
                o3 = Fma.MultiplyAdd(w, Vector256.Load(odd + 24), o3);
            }

            ((e0 + o0) * scales).Store(output + i);
            ((e1 + o1) * scales).Store(output + i + 8);
            ((e2 + o2) * scales).Store(output + i + 16);
            ((e3 + o3) * scales).Store(output + i + 24);
        }

        for (; i < headWidth; i += Lanes)
        {
            Vector256<float> mask = TailMask(Math.Min(Lanes, headWidth - i));
            Vector256<float> sum = default;
            for (int j = 0; j < length; j++)
            {
                Vector256<float> w = Avx.BroadcastScalarToVector256(weights + j);
                sum = Fma.MultiplyAdd(w, Avx.MaskLoad(keys[j] + column + i, mask), sum);
            }

            Avx.MaskStore(output + i, mask, sum * scales);
        }
    }

    /// <summary>A mask of the first <paramref name="count"/> lanes.</summary>
    private static Vector256<float> TailMask(int count) =>
        Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

    /// <summary>Memory of one chunk, for as many keys as its group has, filled up to whole vectors.</summary>
    private readonly ref struct Scratch
    {
        /// <summary>The group's keys, then its side keys.</summary>
        public float** Keys { get; init; }

        /// <summary>Those that one row sees, where there are side keys.</summary>
        public float** RowKeys { get; init; }

        public float* Scores { get; init; }

        /// <summary>Biases of the keys that one row sees, where there are side keys.</summary>
        public float* RowBiases { get; init; }
    }
}
