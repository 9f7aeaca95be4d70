using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>What a tile of an 8-bit matrix product reads and writes.</summary>
internal unsafe struct Int8TileArguments
{
    /// <summary>First quantised input row.</summary>
    public byte* Input;

    /// <summary>Bytes from one input row to the next; a multiple of four.</summary>
    public nint InputStride;

    /// <summary>What a quantum of each input row is worth.</summary>
    public float* InputScales;

    /// <summary>What zero means in each input row.</summary>
    public float* InputOffsets;

    /// <summary>The panel: <c>[depth / 4, width, 4]</c>.</summary>
    public sbyte* Panel;

    /// <summary>Bytes from this panel to the next.</summary>
    public nint PanelStride;

    /// <summary>What a quantum of each column's weights is worth.</summary>
    public float* Scales;

    /// <summary>Sum of each column's weights, as quantised.</summary>
    public float* Sums;

    /// <summary>Bias of the panel's columns, or null.</summary>
    public float* Bias;

    /// <summary>First output row, at the panel's first column.</summary>
    public float* Output;

    /// <summary>Floats from one output row to the next.</summary>
    public nint OutputStride;

    public bool Relu;
    public bool Accumulate;
}

/// <summary>Tiles of the 8-bit matrix product for AVX2: up to 6 rows × one panel of 16 columns, or up to 2 rows × two panels.</summary>
// As the float32 tiles, but each step takes four values of the inner dimension: they lie side by side in a 32-bit lane,
// are multiplied and added up there. An input value is scale · u + offset with u from 0 to 255, so a sum is
// scale · Σ u w + offset · Σ w, of which the second is known beforehand.
internal static unsafe class Int8Tiles<TArithmetic>
    where TArithmetic : struct, IInt8Arithmetic
{
    public const int Width = 16;
    public const int MaxRows = 6;
    public const int MaxRowsOfTwoPanels = 2;

    /// <summary>A page: the prefetcher of the processor stops at its end, and a panel is many pages.</summary>
    private const int BytesAhead = 4096;

    /// <summary>Values of the inner dimension in a lane.</summary>
    public const int Lane = 4;

    public static void OnePanel(int rows, ref readonly Int8TileArguments arguments)
    {
        switch (rows)
        {
            case 1:
                OnePanel<Rows1>(in arguments);
                break;
            case 2:
                OnePanel<Rows2>(in arguments);
                break;
            case 3:
                OnePanel<Rows3>(in arguments);
                break;
            case 4:
                OnePanel<Rows4>(in arguments);
                break;
            case 5:
                OnePanel<Rows5>(in arguments);
                break;
            case 6:
                OnePanel<Rows6>(in arguments);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rows), rows, message: null);
        }
    }

    public static void TwoPanels(int rows, ref readonly Int8TileArguments arguments)
    {
        switch (rows)
        {
            case 1:
                TwoPanels<Rows1>(in arguments);
                break;
            case 2:
                TwoPanels<Rows2>(in arguments);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rows), rows, message: null);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OnePanel<TRows>(ref readonly Int8TileArguments arguments)
        where TRows : struct, IRowCount
    {
        Vector256<int> s0a = default,
            s0b = default;
        Vector256<int> s1a = default,
            s1b = default;
        Vector256<int> s2a = default,
            s2b = default;
        Vector256<int> s3a = default,
            s3b = default;
        Vector256<int> s4a = default,
            s4b = default;
        Vector256<int> s5a = default,
            s5b = default;
        nint stride = arguments.InputStride;
        byte* end = arguments.Input + stride;
        byte* x0 = arguments.Input;
        byte* x3 = arguments.Input + (3 * stride);
        sbyte* panel = arguments.Panel;
        while (x0 < end)
        {
            Sse.Prefetch0(panel + BytesAhead);
            Vector256<sbyte> wa = Vector256.LoadAligned(panel);
            Vector256<sbyte> wb = Vector256.LoadAligned(panel + 32);
            Vector256<byte> first = Vector256.Create(*(int*)(x0)).AsByte();
            s0a = TArithmetic.MultiplyAdd(s0a, first, wa);
            s0b = TArithmetic.MultiplyAdd(s0b, first, wb);

            if (TRows.Count > 1)
            {
                Vector256<byte> x = Vector256.Create(*(int*)(x0 + stride)).AsByte();
                s1a = TArithmetic.MultiplyAdd(s1a, x, wa);
                s1b = TArithmetic.MultiplyAdd(s1b, x, wb);
            }

            if (TRows.Count > 2)
            {
                Vector256<byte> x = Vector256.Create(*(int*)(x0 + (2 * stride))).AsByte();
                s2a = TArithmetic.MultiplyAdd(s2a, x, wa);
                s2b = TArithmetic.MultiplyAdd(s2b, x, wb);
            }

            if (TRows.Count > 3)
            {
                Vector256<byte> x = Vector256.Create(*(int*)(x3)).AsByte();
                s3a = TArithmetic.MultiplyAdd(s3a, x, wa);
                s3b = TArithmetic.MultiplyAdd(s3b, x, wb);
            }

            if (TRows.Count > 4)
            {
                Vector256<byte> x = Vector256.Create(*(int*)(x3 + stride)).AsByte();
                s4a = TArithmetic.MultiplyAdd(s4a, x, wa);
                s4b = TArithmetic.MultiplyAdd(s4b, x, wb);
            }

            if (TRows.Count > 5)
            {
                Vector256<byte> x = Vector256.Create(*(int*)(x3 + (2 * stride))).AsByte();
                s5a = TArithmetic.MultiplyAdd(s5a, x, wa);
                s5b = TArithmetic.MultiplyAdd(s5b, x, wb);
            }

            x0 += Lane;
            x3 += Lane;
            panel += Width * Lane;
        }

        Finish(s0a, 0, 0, in arguments);
        Finish(s0b, 0, 8, in arguments);

        if (TRows.Count > 1)
        {
            Finish(s1a, 1, 0, in arguments);
            Finish(s1b, 1, 8, in arguments);
        }

        if (TRows.Count > 2)
        {
            Finish(s2a, 2, 0, in arguments);
            Finish(s2b, 2, 8, in arguments);
        }

        if (TRows.Count > 3)
        {
            Finish(s3a, 3, 0, in arguments);
            Finish(s3b, 3, 8, in arguments);
        }

        if (TRows.Count > 4)
        {
            Finish(s4a, 4, 0, in arguments);
            Finish(s4b, 4, 8, in arguments);
        }

        if (TRows.Count > 5)
        {
            Finish(s5a, 5, 0, in arguments);
            Finish(s5b, 5, 8, in arguments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoPanels<TRows>(ref readonly Int8TileArguments arguments)
        where TRows : struct, IRowCount
    {
        Vector256<int> s0a = default,
            s0b = default,
            s0c = default,
            s0d = default;
        Vector256<int> s1a = default,
            s1b = default,
            s1c = default,
            s1d = default;
        nint stride = arguments.InputStride;
        byte* end = arguments.Input + stride;
        byte* x0 = arguments.Input;
        sbyte* panel = arguments.Panel;
        sbyte* second = panel + arguments.PanelStride;
        while (x0 < end)
        {
            Sse.Prefetch0(panel + BytesAhead);
            Sse.Prefetch0(second + BytesAhead);
            Vector256<sbyte> wa = Vector256.LoadAligned(panel);
            Vector256<sbyte> wb = Vector256.LoadAligned(panel + 32);
            Vector256<sbyte> wc = Vector256.LoadAligned(second);
            Vector256<sbyte> wd = Vector256.LoadAligned(second + 32);
            Vector256<byte> first = Vector256.Create(*(int*)(x0)).AsByte();
            s0a = TArithmetic.MultiplyAdd(s0a, first, wa);
            s0b = TArithmetic.MultiplyAdd(s0b, first, wb);
            s0c = TArithmetic.MultiplyAdd(s0c, first, wc);
            s0d = TArithmetic.MultiplyAdd(s0d, first, wd);

            if (TRows.Count > 1)
            {
                Vector256<byte> x = Vector256.Create(*(int*)(x0 + stride)).AsByte();
                s1a = TArithmetic.MultiplyAdd(s1a, x, wa);
                s1b = TArithmetic.MultiplyAdd(s1b, x, wb);
                s1c = TArithmetic.MultiplyAdd(s1c, x, wc);
                s1d = TArithmetic.MultiplyAdd(s1d, x, wd);
            }

            x0 += Lane;
            panel += Width * Lane;
            second += Width * Lane;
        }

        Finish(s0a, 0, 0, in arguments);
        Finish(s0b, 0, 8, in arguments);
        Finish(s0c, 0, 16, in arguments);
        Finish(s0d, 0, 24, in arguments);

        if (TRows.Count > 1)
        {
            Finish(s1a, 1, 0, in arguments);
            Finish(s1b, 1, 8, in arguments);
            Finish(s1c, 1, 16, in arguments);
            Finish(s1d, 1, 24, in arguments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(Vector256<int> sum, int row, int column, ref readonly Int8TileArguments arguments)
    {
        Vector256<float> value = Vector256.ConvertToSingle(sum) * arguments.InputScales[row];
        value += Vector256.LoadAligned(arguments.Sums + column) * arguments.InputOffsets[row];
        value *= Vector256.LoadAligned(arguments.Scales + column);
        if (arguments.Bias is not null)
        {
            value += Vector256.LoadAligned(arguments.Bias + column);
        }

        if (arguments.Relu)
        {
            value = Vector256.Max(value, Vector256<float>.Zero);
        }

        float* output = arguments.Output + (row * arguments.OutputStride) + column;
        if (arguments.Accumulate)
        {
            value += Vector256.Load(output);
        }

        value.Store(output);
    }
}
