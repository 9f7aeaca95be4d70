using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>
/// Tiles of the matrix product for AVX-512: up to 12 rows × one panel of 32 columns, or up to 6 rows × two panels.
/// </summary>
// 32 registers: 24 accumulators, 2 or 4 for the panels, 1 for the broadcast input.
// The panel streams through once, aligned and in order, while each input value is broadcast: per step of the inner
// dimension a full tile does 24 multiply-adds for 14 loads, so that the multipliers are the limit. Few rows would leave
// too few independent sums to hide the latency of a multiply-add; they take two panels at once.
// Every output is one sum in the order of the inner dimension, whatever the tile: a row's result is the same bits alone
// and in any company, and on both instruction sets.
internal sealed unsafe class Avx512Tiles : ITiles
{
    /// <summary>A page: the prefetcher of the processor stops at its end, and a panel is many pages.</summary>
    private const int BytesAhead = 4096;

    public static int Width => 32;

    public static int MaxRows => 12;

    public static int MaxRowsOfTwoPanels => 6;

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
            case 7:
                OnePanel<Rows7, TFormat>(in arguments);
                break;
            case 8:
                OnePanel<Rows8, TFormat>(in arguments);
                break;
            case 9:
                OnePanel<Rows9, TFormat>(in arguments);
                break;
            case 10:
                OnePanel<Rows10, TFormat>(in arguments);
                break;
            case 11:
                OnePanel<Rows11, TFormat>(in arguments);
                break;
            case 12:
                OnePanel<Rows12, TFormat>(in arguments);
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
            case 4:
                TwoPanels<Rows4, TFormat>(in arguments);
                break;
            case 5:
                TwoPanels<Rows5, TFormat>(in arguments);
                break;
            case 6:
                TwoPanels<Rows6, TFormat>(in arguments);
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
        Vector512<float> s0a = default,
            s0b = default;
        Vector512<float> s1a = default,
            s1b = default;
        Vector512<float> s2a = default,
            s2b = default;
        Vector512<float> s3a = default,
            s3b = default;
        Vector512<float> s4a = default,
            s4b = default;
        Vector512<float> s5a = default,
            s5b = default;
        Vector512<float> s6a = default,
            s6b = default;
        Vector512<float> s7a = default,
            s7b = default;
        Vector512<float> s8a = default,
            s8b = default;
        Vector512<float> s9a = default,
            s9b = default;
        Vector512<float> s10a = default,
            s10b = default;
        Vector512<float> s11a = default,
            s11b = default;
        nint stride = arguments.InputStride;
        float* x0 = arguments.Input;
        float* x3 = arguments.Input + (3 * stride);
        float* x6 = arguments.Input + (6 * stride);
        float* x9 = arguments.Input + (9 * stride);
        byte* panel = arguments.Panel;
        byte* end = panel + (arguments.Depth * Width * TFormat.WeightBytes);
        while (panel < end)
        {
            Fetch<TFormat>(panel);
            Vector512<float> wa = TFormat.Load512(panel);
            Vector512<float> wb = TFormat.Load512(panel + (16 * TFormat.WeightBytes));
            Vector512<float> first = Vector512.Create(*x0);
            s0a = Avx512F.FusedMultiplyAdd(first, wa, s0a);
            s0b = Avx512F.FusedMultiplyAdd(first, wb, s0b);

            if (TRows.Count > 1)
            {
                Vector512<float> x = Vector512.Create(*(x0 + stride));
                s1a = Avx512F.FusedMultiplyAdd(x, wa, s1a);
                s1b = Avx512F.FusedMultiplyAdd(x, wb, s1b);
            }

            if (TRows.Count > 2)
            {
                Vector512<float> x = Vector512.Create(*(x0 + (2 * stride)));
                s2a = Avx512F.FusedMultiplyAdd(x, wa, s2a);
                s2b = Avx512F.FusedMultiplyAdd(x, wb, s2b);
            }

            if (TRows.Count > 3)
            {
                Vector512<float> x = Vector512.Create(*x3);
                s3a = Avx512F.FusedMultiplyAdd(x, wa, s3a);
                s3b = Avx512F.FusedMultiplyAdd(x, wb, s3b);
            }

            if (TRows.Count > 4)
            {
                Vector512<float> x = Vector512.Create(*(x3 + stride));
                s4a = Avx512F.FusedMultiplyAdd(x, wa, s4a);
                s4b = Avx512F.FusedMultiplyAdd(x, wb, s4b);
            }

            if (TRows.Count > 5)
            {
                Vector512<float> x = Vector512.Create(*(x3 + (2 * stride)));
                s5a = Avx512F.FusedMultiplyAdd(x, wa, s5a);
                s5b = Avx512F.FusedMultiplyAdd(x, wb, s5b);
            }

            if (TRows.Count > 6)
            {
                Vector512<float> x = Vector512.Create(*x6);
                s6a = Avx512F.FusedMultiplyAdd(x, wa, s6a);
                s6b = Avx512F.FusedMultiplyAdd(x, wb, s6b);
            }

            if (TRows.Count > 7)
            {
                Vector512<float> x = Vector512.Create(*(x6 + stride));
                s7a = Avx512F.FusedMultiplyAdd(x, wa, s7a);
                s7b = Avx512F.FusedMultiplyAdd(x, wb, s7b);
            }

            if (TRows.Count > 8)
            {
                Vector512<float> x = Vector512.Create(*(x6 + (2 * stride)));
                s8a = Avx512F.FusedMultiplyAdd(x, wa, s8a);
                s8b = Avx512F.FusedMultiplyAdd(x, wb, s8b);
            }

            if (TRows.Count > 9)
            {
                Vector512<float> x = Vector512.Create(*x9);
                s9a = Avx512F.FusedMultiplyAdd(x, wa, s9a);
                s9b = Avx512F.FusedMultiplyAdd(x, wb, s9b);
            }

            if (TRows.Count > 10)
            {
                Vector512<float> x = Vector512.Create(*(x9 + stride));
                s10a = Avx512F.FusedMultiplyAdd(x, wa, s10a);
                s10b = Avx512F.FusedMultiplyAdd(x, wb, s10b);
            }

            if (TRows.Count > 11)
            {
                Vector512<float> x = Vector512.Create(*(x9 + (2 * stride)));
                s11a = Avx512F.FusedMultiplyAdd(x, wa, s11a);
                s11b = Avx512F.FusedMultiplyAdd(x, wb, s11b);
            }

            x0++;
            x3++;
            x6++;
            x9++;
            panel += Width * TFormat.WeightBytes;
        }

        float* output = arguments.Output;
        Finish(s0a, output, 0, in arguments);
        Finish(s0b, output, 16, in arguments);

        if (TRows.Count > 1)
        {
            output += arguments.OutputStride;
            Finish(s1a, output, 0, in arguments);
            Finish(s1b, output, 16, in arguments);
        }

        if (TRows.Count > 2)
        {
            output += arguments.OutputStride;
            Finish(s2a, output, 0, in arguments);
            Finish(s2b, output, 16, in arguments);
        }

        if (TRows.Count > 3)
        {
            output += arguments.OutputStride;
            Finish(s3a, output, 0, in arguments);
            Finish(s3b, output, 16, in arguments);
        }

        if (TRows.Count > 4)
        {
            output += arguments.OutputStride;
            Finish(s4a, output, 0, in arguments);
            Finish(s4b, output, 16, in arguments);
        }

        if (TRows.Count > 5)
        {
            output += arguments.OutputStride;
            Finish(s5a, output, 0, in arguments);
            Finish(s5b, output, 16, in arguments);
        }

        if (TRows.Count > 6)
        {
            output += arguments.OutputStride;
            Finish(s6a, output, 0, in arguments);
            Finish(s6b, output, 16, in arguments);
        }

        if (TRows.Count > 7)
        {
            output += arguments.OutputStride;
            Finish(s7a, output, 0, in arguments);
            Finish(s7b, output, 16, in arguments);
        }

        if (TRows.Count > 8)
        {
            output += arguments.OutputStride;
            Finish(s8a, output, 0, in arguments);
            Finish(s8b, output, 16, in arguments);
        }

        if (TRows.Count > 9)
        {
            output += arguments.OutputStride;
            Finish(s9a, output, 0, in arguments);
            Finish(s9b, output, 16, in arguments);
        }

        if (TRows.Count > 10)
        {
            output += arguments.OutputStride;
            Finish(s10a, output, 0, in arguments);
            Finish(s10b, output, 16, in arguments);
        }

        if (TRows.Count > 11)
        {
            output += arguments.OutputStride;
            Finish(s11a, output, 0, in arguments);
            Finish(s11b, output, 16, in arguments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoPanels<TRows, TFormat>(ref readonly TileArguments arguments)
        where TRows : struct, IRowCount
        where TFormat : struct, IWeightFormat
    {
        Vector512<float> s0a = default,
            s0b = default,
            s0c = default,
            s0d = default;
        Vector512<float> s1a = default,
            s1b = default,
            s1c = default,
            s1d = default;
        Vector512<float> s2a = default,
            s2b = default,
            s2c = default,
            s2d = default;
        Vector512<float> s3a = default,
            s3b = default,
            s3c = default,
            s3d = default;
        Vector512<float> s4a = default,
            s4b = default,
            s4c = default,
            s4d = default;
        Vector512<float> s5a = default,
            s5b = default,
            s5c = default,
            s5d = default;
        nint stride = arguments.InputStride;
        float* x0 = arguments.Input;
        float* x3 = arguments.Input + (3 * stride);
        byte* panel = arguments.Panel;
        byte* second = panel + arguments.PanelStride;
        byte* end = panel + (arguments.Depth * Width * TFormat.WeightBytes);
        while (panel < end)
        {
            Fetch<TFormat>(panel);
            Fetch<TFormat>(second);
            Vector512<float> v0 = Vector512.Create(*x0);
            Vector512<float> v1 = TRows.Count > 1 ? Vector512.Create(*(x0 + stride)) : default;
            Vector512<float> v2 = TRows.Count > 2 ? Vector512.Create(*(x0 + (2 * stride))) : default;
            Vector512<float> v3 = TRows.Count > 3 ? Vector512.Create(*x3) : default;
            Vector512<float> v4 = TRows.Count > 4 ? Vector512.Create(*(x3 + stride)) : default;
            Vector512<float> v5 = TRows.Count > 5 ? Vector512.Create(*(x3 + (2 * stride))) : default;
            Vector512<float> wa = TFormat.Load512(panel);
            s0a = Avx512F.FusedMultiplyAdd(v0, wa, s0a);
            if (TRows.Count > 1)
            {
                s1a = Avx512F.FusedMultiplyAdd(v1, wa, s1a);
            }

            if (TRows.Count > 2)
            {
                s2a = Avx512F.FusedMultiplyAdd(v2, wa, s2a);
            }

            if (TRows.Count > 3)
            {
                s3a = Avx512F.FusedMultiplyAdd(v3, wa, s3a);
            }

            if (TRows.Count > 4)
            {
                s4a = Avx512F.FusedMultiplyAdd(v4, wa, s4a);
            }

            if (TRows.Count > 5)
            {
                s5a = Avx512F.FusedMultiplyAdd(v5, wa, s5a);
            }

            Vector512<float> wb = TFormat.Load512(panel + (16 * TFormat.WeightBytes));
            s0b = Avx512F.FusedMultiplyAdd(v0, wb, s0b);
            if (TRows.Count > 1)
            {
                s1b = Avx512F.FusedMultiplyAdd(v1, wb, s1b);
            }

            if (TRows.Count > 2)
            {
                s2b = Avx512F.FusedMultiplyAdd(v2, wb, s2b);
            }

            if (TRows.Count > 3)
            {
                s3b = Avx512F.FusedMultiplyAdd(v3, wb, s3b);
            }

            if (TRows.Count > 4)
            {
                s4b = Avx512F.FusedMultiplyAdd(v4, wb, s4b);
            }

            if (TRows.Count > 5)
            {
                s5b = Avx512F.FusedMultiplyAdd(v5, wb, s5b);
            }

            Vector512<float> wc = TFormat.Load512(second);
            s0c = Avx512F.FusedMultiplyAdd(v0, wc, s0c);
            if (TRows.Count > 1)
            {
                s1c = Avx512F.FusedMultiplyAdd(v1, wc, s1c);
            }

            if (TRows.Count > 2)
            {
                s2c = Avx512F.FusedMultiplyAdd(v2, wc, s2c);
            }

            if (TRows.Count > 3)
            {
                s3c = Avx512F.FusedMultiplyAdd(v3, wc, s3c);
            }

            if (TRows.Count > 4)
            {
                s4c = Avx512F.FusedMultiplyAdd(v4, wc, s4c);
            }

            if (TRows.Count > 5)
            {
                s5c = Avx512F.FusedMultiplyAdd(v5, wc, s5c);
            }

            Vector512<float> wd = TFormat.Load512(second + (16 * TFormat.WeightBytes));
            s0d = Avx512F.FusedMultiplyAdd(v0, wd, s0d);
            if (TRows.Count > 1)
            {
                s1d = Avx512F.FusedMultiplyAdd(v1, wd, s1d);
            }

            if (TRows.Count > 2)
            {
                s2d = Avx512F.FusedMultiplyAdd(v2, wd, s2d);
            }

            if (TRows.Count > 3)
            {
                s3d = Avx512F.FusedMultiplyAdd(v3, wd, s3d);
            }

            if (TRows.Count > 4)
            {
                s4d = Avx512F.FusedMultiplyAdd(v4, wd, s4d);
            }

            if (TRows.Count > 5)
            {
                s5d = Avx512F.FusedMultiplyAdd(v5, wd, s5d);
            }

            x0++;
            x3++;
            panel += Width * TFormat.WeightBytes;
            second += Width * TFormat.WeightBytes;
        }

        float* output = arguments.Output;
        Finish(s0a, output, 0, in arguments);
        Finish(s0b, output, 16, in arguments);
        Finish(s0c, output, 32, in arguments);
        Finish(s0d, output, 48, in arguments);

        if (TRows.Count > 1)
        {
            output += arguments.OutputStride;
            Finish(s1a, output, 0, in arguments);
            Finish(s1b, output, 16, in arguments);
            Finish(s1c, output, 32, in arguments);
            Finish(s1d, output, 48, in arguments);
        }

        if (TRows.Count > 2)
        {
            output += arguments.OutputStride;
            Finish(s2a, output, 0, in arguments);
            Finish(s2b, output, 16, in arguments);
            Finish(s2c, output, 32, in arguments);
            Finish(s2d, output, 48, in arguments);
        }

        if (TRows.Count > 3)
        {
            output += arguments.OutputStride;
            Finish(s3a, output, 0, in arguments);
            Finish(s3b, output, 16, in arguments);
            Finish(s3c, output, 32, in arguments);
            Finish(s3d, output, 48, in arguments);
        }

        if (TRows.Count > 4)
        {
            output += arguments.OutputStride;
            Finish(s4a, output, 0, in arguments);
            Finish(s4b, output, 16, in arguments);
            Finish(s4c, output, 32, in arguments);
            Finish(s4d, output, 48, in arguments);
        }

        if (TRows.Count > 5)
        {
            output += arguments.OutputStride;
            Finish(s5a, output, 0, in arguments);
            Finish(s5b, output, 16, in arguments);
            Finish(s5c, output, 32, in arguments);
            Finish(s5d, output, 48, in arguments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SparseOnePanel<TRows, TFormat>(ref readonly TileArguments arguments)
        where TRows : struct, IRowCount
        where TFormat : struct, IWeightFormat
    {
        Vector512<float> s0a = default,
            s0b = default;
        Vector512<float> s1a = default,
            s1b = default;
        Vector512<float> s2a = default,
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
            Sse.Prefetch1(weights + ahead + 64);
            Vector512<float> x0 = Vector512.Create(v0[i]);
            Vector512<float> x1 = Vector512.Create(v1[i]);
            Vector512<float> x2 = Vector512.Create(v2[i]);
            Vector512<float> wa = TFormat.Load512(weights);
            s0a = Avx512F.FusedMultiplyAdd(x0, wa, s0a);
            s1a = Avx512F.FusedMultiplyAdd(x1, wa, s1a);
            s2a = Avx512F.FusedMultiplyAdd(x2, wa, s2a);

            Vector512<float> wb = TFormat.Load512(weights + (16 * TFormat.WeightBytes));
            s0b = Avx512F.FusedMultiplyAdd(x0, wb, s0b);
            s1b = Avx512F.FusedMultiplyAdd(x1, wb, s1b);
            s2b = Avx512F.FusedMultiplyAdd(x2, wb, s2b);
        }

        float* output = arguments.Output;
        Finish(s0a, output, 0, in arguments);
        Finish(s0b, output, 16, in arguments);

        if (TRows.Count > 1)
        {
            output += arguments.OutputStride;
            Finish(s1a, output, 0, in arguments);
            Finish(s1b, output, 16, in arguments);
        }

        if (TRows.Count > 2)
        {
            output += arguments.OutputStride;
            Finish(s2a, output, 0, in arguments);
            Finish(s2b, output, 16, in arguments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SparseTwoPanels<TRows, TFormat>(ref readonly TileArguments arguments)
        where TRows : struct, IRowCount
        where TFormat : struct, IWeightFormat
    {
        Vector512<float> s0a = default,
            s0b = default,
            s0c = default,
            s0d = default;
        Vector512<float> s1a = default,
            s1b = default,
            s1c = default,
            s1d = default;
        Vector512<float> s2a = default,
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
            Sse.Prefetch1(weights + ahead + 64);
            Sse.Prefetch1(others + ahead);
            Sse.Prefetch1(others + ahead + 64);
            Vector512<float> x0 = Vector512.Create(v0[i]);
            Vector512<float> x1 = Vector512.Create(v1[i]);
            Vector512<float> x2 = Vector512.Create(v2[i]);
            Vector512<float> wa = TFormat.Load512(weights);
            s0a = Avx512F.FusedMultiplyAdd(x0, wa, s0a);
            s1a = Avx512F.FusedMultiplyAdd(x1, wa, s1a);
            s2a = Avx512F.FusedMultiplyAdd(x2, wa, s2a);

            Vector512<float> wb = TFormat.Load512(weights + (16 * TFormat.WeightBytes));
            s0b = Avx512F.FusedMultiplyAdd(x0, wb, s0b);
            s1b = Avx512F.FusedMultiplyAdd(x1, wb, s1b);
            s2b = Avx512F.FusedMultiplyAdd(x2, wb, s2b);

            Vector512<float> wc = TFormat.Load512(others);
            s0c = Avx512F.FusedMultiplyAdd(x0, wc, s0c);
            s1c = Avx512F.FusedMultiplyAdd(x1, wc, s1c);
            s2c = Avx512F.FusedMultiplyAdd(x2, wc, s2c);

            Vector512<float> wd = TFormat.Load512(others + (16 * TFormat.WeightBytes));
            s0d = Avx512F.FusedMultiplyAdd(x0, wd, s0d);
            s1d = Avx512F.FusedMultiplyAdd(x1, wd, s1d);
            s2d = Avx512F.FusedMultiplyAdd(x2, wd, s2d);
        }

        float* output = arguments.Output;
        Finish(s0a, output, 0, in arguments);
        Finish(s0b, output, 16, in arguments);
        Finish(s0c, output, 32, in arguments);
        Finish(s0d, output, 48, in arguments);

        if (TRows.Count > 1)
        {
            output += arguments.OutputStride;
            Finish(s1a, output, 0, in arguments);
            Finish(s1b, output, 16, in arguments);
            Finish(s1c, output, 32, in arguments);
            Finish(s1d, output, 48, in arguments);
        }

        if (TRows.Count > 2)
        {
            output += arguments.OutputStride;
            Finish(s2a, output, 0, in arguments);
            Finish(s2b, output, 16, in arguments);
            Finish(s2c, output, 32, in arguments);
            Finish(s2d, output, 48, in arguments);
        }
    }

    /// <summary>Asks for what the loop will read a page later: weights come from memory more often than not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch<TFormat>(byte* panel)
        where TFormat : struct, IWeightFormat
    {
        Sse.Prefetch0(panel + BytesAhead);
        if (TFormat.WeightBytes == sizeof(float))
        {
            Sse.Prefetch0(panel + BytesAhead + 64);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(Vector512<float> sum, float* output, int column, ref readonly TileArguments arguments)
    {
        if (arguments.Scales is not null)
        {
            sum *= Vector512.LoadAligned(arguments.Scales + column);
        }

        if (arguments.Bias is not null)
        {
            sum += Vector512.LoadAligned(arguments.Bias + column);
        }

        if (arguments.Relu)
        {
            sum = Vector512.Max(sum, Vector512<float>.Zero);
        }

        if (arguments.Accumulate)
        {
            sum += Vector512.Load(output + column);
        }

        sum.Store(output + column);
    }
}
