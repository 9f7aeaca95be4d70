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
            Vector256<float> wa = TFormat.Load256(panel);
            Vector256<float> wb = TFormat.Load256(panel + (8 * TFormat.WeightBytes));
            Vector256<float> wc = TFormat.Load256(second);
            Vector256<float> wd = TFormat.Load256(second + (8 * TFormat.WeightBytes));
            Vector256<float> first = Avx.BroadcastScalarToVector256(x0);
            s0a = Fma.MultiplyAdd(first, wa, s0a);
            s0b = Fma.MultiplyAdd(first, wb, s0b);
            s0c = Fma.MultiplyAdd(first, wc, s0c);
            s0d = Fma.MultiplyAdd(first, wd, s0d);

            if (TRows.Count > 1)
            {
                Vector256<float> x = Avx.BroadcastScalarToVector256(x0 + stride);
                s1a = Fma.MultiplyAdd(x, wa, s1a);
                s1b = Fma.MultiplyAdd(x, wb, s1b);
                s1c = Fma.MultiplyAdd(x, wc, s1c);
                s1d = Fma.MultiplyAdd(x, wd, s1d);
            }

            if (TRows.Count > 2)
            {
                Vector256<float> x = Avx.BroadcastScalarToVector256(x0 + (2 * stride));
                s2a = Fma.MultiplyAdd(x, wa, s2a);
                s2b = Fma.MultiplyAdd(x, wb, s2b);
                s2c = Fma.MultiplyAdd(x, wc, s2c);
                s2d = Fma.MultiplyAdd(x, wd, s2d);
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
