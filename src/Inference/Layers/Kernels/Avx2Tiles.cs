using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>
/// Tiles of the matrix product for AVX2 and FMA: up to 6 rows × one panel of 16 columns, or up to 3 rows × two panels.
/// </summary>
// 16 registers: 12 accumulators, 2 for the panel, 1 for the broadcast input.
// The panel streams through once, aligned and in order, while each input value is broadcast: per step of the inner
// dimension a full tile does 12 multiply-adds for 8 loads, so that the multipliers are the limit. Few rows would leave
// too few independent sums to hide the latency of a multiply-add; they take two panels at once.
// Every output is one sum in the order of the inner dimension, whatever the tile: a row's result is the same bits alone
// and in any company, and on both instruction sets.
internal sealed unsafe class Avx2Tiles : ITiles
{
    /// <summary>A page: the prefetcher of the processor stops at its end, and a panel is many pages.</summary>
    private const int BytesAhead = 4096;

    public static int Width => 16;

    public static int MaxRows => 6;

    public static int MaxRowsOfTwoPanels => 3;

    public static void OnePanel<TFormat>(int rows, ref readonly TileArguments arguments)
        where TFormat : struct, IWeightFormat
    {
        switch (rows)
        {
            case 1:
                OnePanel<Rows1, TFormat>(in arguments);
                break;
            case 2:
                OnePanel<Rows2, TFormat>(in arguments);
                break;
            case 3:
                OnePanel<Rows3, TFormat>(in arguments);
                break;
            case 4:
                OnePanel<Rows4, TFormat>(in arguments);
                break;
            case 5:
                OnePanel<Rows5, TFormat>(in arguments);
                break;
            case 6:
                OnePanel<Rows6, TFormat>(in arguments);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rows), rows, message: null);
        }
    }

    public static void TwoPanels<TFormat>(int rows, ref readonly TileArguments arguments)
        where TFormat : struct, IWeightFormat
    {
        switch (rows)
        {
            case 1:
                TwoPanels<Rows1, TFormat>(in arguments);
                break;
            case 2:
                TwoPanels<Rows2, TFormat>(in arguments);
                break;
            case 3:
                TwoPanels<Rows3, TFormat>(in arguments);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rows), rows, message: null);
        }
    }

    public static void SparseOnePanel<TFormat>(int rows, ref readonly TileArguments arguments)
        where TFormat : struct, IWeightFormat
    {
        switch (rows)
        {
            case 1:
                SparseOnePanel<Rows1, TFormat>(in arguments);
                break;
            case 2:
                SparseOnePanel<Rows2, TFormat>(in arguments);
                break;
            case 3:
                SparseOnePanel<Rows3, TFormat>(in arguments);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rows), rows, message: null);
        }
    }

    public static void SparseTwoPanels<TFormat>(int rows, ref readonly TileArguments arguments)
        where TFormat : struct, IWeightFormat
    {
        switch (rows)
        {
            case 1:
                SparseTwoPanels<Rows1, TFormat>(in arguments);
                break;
            case 2:
                SparseTwoPanels<Rows2, TFormat>(in arguments);
                break;
            case 3:
                SparseTwoPanels<Rows3, TFormat>(in arguments);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rows), rows, message: null);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OnePanel<TRows, TFormat>(ref readonly TileArguments arguments)
        where TRows : struct, IRowCount
        where TFormat : struct, IWeightFormat
    {
        Vector256<float> s0a = default,
            s0b = default;
        Vector256<float> s1a = default,
            s1b = default;
        Vector256<float> s2a = default,
            s2b = default;
        Vector256<float> s3a = default,
            s3b = default;
        Vector256<float> s4a = default,
            s4b = default;
        Vector256<float> s5a = default,
            s5b = default;
        nint stride = arguments.InputStride;
        float* x0 = arguments.Input;
        float* x3 = arguments.Input + (3 * stride);
        byte* panel = arguments.Panel;
        byte* end = panel + (arguments.Depth * Width * TFormat.WeightBytes);
        while (panel < end)
        {
            Fetch<TFormat>(panel);
            Vector256<float> wa = TFormat.Load256(panel);
            Vector256<float> wb = TFormat.Load256(panel + (8 * TFormat.WeightBytes));
            Vector256<float> first = Avx.BroadcastScalarToVector256(x0);
            s0a = Fma.MultiplyAdd(first, wa, s0a);
            s0b = Fma.MultiplyAdd(first, wb, s0b);

            if (TRows.Count > 1)
            {
                Vector256<float> x = Avx.BroadcastScalarToVector256(x0 + stride);
                s1a = Fma.MultiplyAdd(x, wa, s1a);
                s1b = Fma.MultiplyAdd(x, wb, s1b);
            }

            if (TRows.Count > 2)
            {
                Vector256<float> x = Avx.BroadcastScalarToVector256(x0 + (2 * stride));
                s2a = Fma.MultiplyAdd(x, wa, s2a);
                s2b = Fma.MultiplyAdd(x, wb, s2b);
            }

            if (TRows.Count > 3)
            {
                Vector256<float> x = Avx.BroadcastScalarToVector256(x3);
                s3a = Fma.MultiplyAdd(x, wa, s3a);
                s3b = Fma.MultiplyAdd(x, wb, s3b);
            }

            if (TRows.Count > 4)
            {
                Vector256<float> x = Avx.BroadcastScalarToVector256(x3 + stride);
                s4a = Fma.MultiplyAdd(x, wa, s4a);
                s4b = Fma.MultiplyAdd(x, wb, s4b);
            }

            if (TRows.Count > 5)
            {
                Vector256<float> x = Avx.BroadcastScalarToVector256(x3 + (2 * stride));
                s5a = Fma.MultiplyAdd(x, wa, s5a);
                s5b = Fma.MultiplyAdd(x, wb, s5b);
            }

            x0++;
            x3++;
            panel += Width * TFormat.WeightBytes;
        }

        float* output = arguments.Output;
        Finish(s0a, output, 0, in arguments);
        Finish(s0b, output, 8, in arguments);

        if (TRows.Count > 1)
        {
            output += arguments.OutputStride;
            Finish(s1a, output, 0, in arguments);
            Finish(s1b, output, 8, in arguments);
        }

        if (TRows.Count > 2)
        {
            output += arguments.OutputStride;
            Finish(s2a, output, 0, in arguments);
            Finish(s2b, output, 8, in arguments);
        }

        if (TRows.Count > 3)
        {
            output += arguments.OutputStride;
            Finish(s3a, output, 0, in arguments);
            Finish(s3b, output, 8, in arguments);
        }

        if (TRows.Count > 4)
        {
            output += arguments.OutputStride;
            Finish(s4a, output, 0, in arguments);
            Finish(s4b, output, 8, in arguments);
        }

        if (TRows.Count > 5)
        {
            output += arguments.OutputStride;
            Finish(s5a, output, 0, in arguments);
            Finish(s5b, output, 8, in arguments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoPanels<TRows, TFormat>(ref readonly TileArguments arguments)
        where TRows : struct, IRowCount
        where TFormat : struct, IWeightFormat
    {
        Vector256<float> s0a = default,
            s0b = default,
            s0c = default,
            s0d = default;
        Vector256<float> s1a = default,
            s1b = default,
            s1c = default,
            s1d = default;
        Vector256<float> s2a = default,
            s2b = default,
            s2c = default,
            s2d = default;
        nint stride = arguments.InputStride;
        float* x0 = arguments.Input;
        byte* panel = arguments.Panel;
        byte* second = panel + arguments.PanelStride;
        byte* end = panel + (arguments.Depth * Width * TFormat.WeightBytes);
        while (panel < end)
        {
            Fetch<TFormat>(panel);
            Fetch<TFormat>(second);
            Vector256<float> v0 = Avx.BroadcastScalarToVector256(x0);
            Vector256<float> v1 = TRows.Count > 1 ? Avx.BroadcastScalarToVector256(x0 + stride) : default;
            Vector256<float> v2 = TRows.Count > 2 ? Avx.BroadcastScalarToVector256(x0 + (2 * stride)) : default;
            Vector256<float> wa = TFormat.Load256(panel);
            s0a = Fma.MultiplyAdd(v0, wa, s0a);
            if (TRows.Count > 1)
            {
                s1a = Fma.MultiplyAdd(v1, wa, s1a);
            }

            if (TRows.Count > 2)
            {
                s2a = Fma.MultiplyAdd(v2, wa, s2a);
            }

            Vector256<float> wb = TFormat.Load256(panel + (8 * TFormat.WeightBytes));
            s0b = Fma.MultiplyAdd(v0, wb, s0b);
            if (TRows.Count > 1)
            {
                s1b = Fma.MultiplyAdd(v1, wb, s1b);
            }

            if (TRows.Count > 2)
            {
                s2b = Fma.MultiplyAdd(v2, wb, s2b);
            }

            Vector256<float> wc = TFormat.Load256(second);
            s0c = Fma.MultiplyAdd(v0, wc, s0c);
            if (TRows.Count > 1)
            {
                s1c = Fma.MultiplyAdd(v1, wc, s1c);
            }

            if (TRows.Count > 2)
            {
                s2c = Fma.MultiplyAdd(v2, wc, s2c);
            }

            Vector256<float> wd = TFormat.Load256(second + (8 * TFormat.WeightBytes));
            s0d = Fma.MultiplyAdd(v0, wd, s0d);
            if (TRows.Count > 1)
            {
                s1d = Fma.MultiplyAdd(v1, wd, s1d);
            }

            if (TRows.Count > 2)
            {
                s2d = Fma.MultiplyAdd(v2, wd, s2d);
            }

            x0++;
            panel += Width * TFormat.WeightBytes;
            second += Width * TFormat.WeightBytes;
        }

        float* output = arguments.Output;
        Finish(s0a, output, 0, in arguments);
        Finish(s0b, output, 8, in arguments);
        Finish(s0c, output, 16, in arguments);
        Finish(s0d, output, 24, in arguments);

        if (TRows.Count > 1)
        {
            output += arguments.OutputStride;
            Finish(s1a, output, 0, in arguments);
            Finish(s1b, output, 8, in arguments);
            Finish(s1c, output, 16, in arguments);
            Finish(s1d, output, 24, in arguments);
        }

        if (TRows.Count > 2)
        {
            output += arguments.OutputStride;
            Finish(s2a, output, 0, in arguments);
            Finish(s2b, output, 8, in arguments);
            Finish(s2c, output, 16, in arguments);
            Finish(s2d, output, 24, in arguments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SparseOnePanel<TRows, TFormat>(ref readonly TileArguments arguments)
        where TRows : struct, IRowCount
        where TFormat : struct, IWeightFormat
    {
        Vector256<float> s0a = default,
            s0b = default;
        Vector256<float> s1a = default,
            s1b = default;
        Vector256<float> s2a = default,
            s2b = default;
        float* v0 = arguments.Input;
        float* v1 = arguments.Input + arguments.InputStride;
        float* v2 = arguments.Input + (2 * arguments.InputStride);
        byte* panel = arguments.Panel;
        nint ahead = 1 * arguments.PanelStride;
        int* offsets = arguments.Offsets;
        nint count = arguments.Depth;
        for (nint i = 0; i < count; i++)
        {
            byte* weights = panel + offsets[i];
            Sse.Prefetch1(weights + ahead);
            Vector256<float> x0 = Avx.BroadcastScalarToVector256(v0 + i);
            Vector256<float> x1 = Avx.BroadcastScalarToVector256(v1 + i);
            Vector256<float> x2 = Avx.BroadcastScalarToVector256(v2 + i);
            Vector256<float> wa = TFormat.Load256(weights);
            s0a = Fma.MultiplyAdd(x0, wa, s0a);
            s1a = Fma.MultiplyAdd(x1, wa, s1a);
            s2a = Fma.MultiplyAdd(x2, wa, s2a);

            Vector256<float> wb = TFormat.Load256(weights + (8 * TFormat.WeightBytes));
            s0b = Fma.MultiplyAdd(x0, wb, s0b);
            s1b = Fma.MultiplyAdd(x1, wb, s1b);
            s2b = Fma.MultiplyAdd(x2, wb, s2b);
        }

        float* output = arguments.Output;
        Finish(s0a, output, 0, in arguments);
        Finish(s0b, output, 8, in arguments);

        if (TRows.Count > 1)
        {
            output += arguments.OutputStride;
            Finish(s1a, output, 0, in arguments);
            Finish(s1b, output, 8, in arguments);
        }

        if (TRows.Count > 2)
        {
            output += arguments.OutputStride;
            Finish(s2a, output, 0, in arguments);
            Finish(s2b, output, 8, in arguments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SparseTwoPanels<TRows, TFormat>(ref readonly TileArguments arguments)
        where TRows : struct, IRowCount
        where TFormat : struct, IWeightFormat
    {
        Vector256<float> s0a = default,
            s0b = default,
            s0c = default,
            s0d = default;
        Vector256<float> s1a = default,
            s1b = default,
            s1c = default,
            s1d = default;
        Vector256<float> s2a = default,
            s2b = default,
            s2c = default,
            s2d = default;
        float* v0 = arguments.Input;
        float* v1 = arguments.Input + arguments.InputStride;
        float* v2 = arguments.Input + (2 * arguments.InputStride);
        byte* panel = arguments.Panel;
        byte* second = panel + arguments.PanelStride;
        nint ahead = 2 * arguments.PanelStride;
        int* offsets = arguments.Offsets;
        nint count = arguments.Depth;
        for (nint i = 0; i < count; i++)
        {
            byte* weights = panel + offsets[i];
            byte* others = second + offsets[i];
            Sse.Prefetch1(weights + ahead);
            Sse.Prefetch1(others + ahead);
            Vector256<float> x0 = Avx.BroadcastScalarToVector256(v0 + i);
            Vector256<float> x1 = Avx.BroadcastScalarToVector256(v1 + i);
            Vector256<float> x2 = Avx.BroadcastScalarToVector256(v2 + i);
            Vector256<float> wa = TFormat.Load256(weights);
            s0a = Fma.MultiplyAdd(x0, wa, s0a);
            s1a = Fma.MultiplyAdd(x1, wa, s1a);
            s2a = Fma.MultiplyAdd(x2, wa, s2a);

            Vector256<float> wb = TFormat.Load256(weights + (8 * TFormat.WeightBytes));
            s0b = Fma.MultiplyAdd(x0, wb, s0b);
            s1b = Fma.MultiplyAdd(x1, wb, s1b);
            s2b = Fma.MultiplyAdd(x2, wb, s2b);

            Vector256<float> wc = TFormat.Load256(others);
            s0c = Fma.MultiplyAdd(x0, wc, s0c);
            s1c = Fma.MultiplyAdd(x1, wc, s1c);
            s2c = Fma.MultiplyAdd(x2, wc, s2c);

            Vector256<float> wd = TFormat.Load256(others + (8 * TFormat.WeightBytes));
            s0d = Fma.MultiplyAdd(x0, wd, s0d);
            s1d = Fma.MultiplyAdd(x1, wd, s1d);
            s2d = Fma.MultiplyAdd(x2, wd, s2d);
        }

        float* output = arguments.Output;
        Finish(s0a, output, 0, in arguments);
        Finish(s0b, output, 8, in arguments);
        Finish(s0c, output, 16, in arguments);
        Finish(s0d, output, 24, in arguments);

        if (TRows.Count > 1)
        {
            output += arguments.OutputStride;
            Finish(s1a, output, 0, in arguments);
            Finish(s1b, output, 8, in arguments);
            Finish(s1c, output, 16, in arguments);
            Finish(s1d, output, 24, in arguments);
        }

        if (TRows.Count > 2)
        {
            output += arguments.OutputStride;
            Finish(s2a, output, 0, in arguments);
            Finish(s2b, output, 8, in arguments);
            Finish(s2c, output, 16, in arguments);
            Finish(s2d, output, 24, in arguments);
        }
    }

    /// <summary>Asks for what the loop will read a page later: weights come from memory more often than not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch<TFormat>(byte* panel)
        where TFormat : struct, IWeightFormat
    {
        Sse.Prefetch0(panel + BytesAhead);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(Vector256<float> sum, float* output, int column, ref readonly TileArguments arguments)
    {
        if (arguments.Scales is not null)
        {
            sum *= Vector256.LoadAligned(arguments.Scales + column);
        }

        if (arguments.Bias is not null)
        {
            sum += Vector256.LoadAligned(arguments.Bias + column);
        }

        if (arguments.Relu)
        {
            sum = Vector256.Max(sum, Vector256<float>.Zero);
        }

        if (arguments.Accumulate)
        {
            sum += Vector256.Load(output + column);
        }

        sum.Store(output + column);
    }
}
