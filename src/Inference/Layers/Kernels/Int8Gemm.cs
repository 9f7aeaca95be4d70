using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Seq2Seq.Inference.Layers.Matrices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Operands of one 8-bit product of some rows with a packed weight.</summary>
internal unsafe struct Int8GemmArguments
{
    /// <summary>Input <c>[rows, depth]</c> as floats.</summary>
    public float* Input;

    public int Rows;
    public int Depth;

    /// <summary>Room for the quantised input, <c>[rows, padded depth]</c>.</summary>
    public byte* Quantised;

    /// <summary>Room for the scale of each input row, then for the offset of each.</summary>
    public float* ScalesAndOffsets;

    public sbyte* Packed;
    public float* Scales;
    public float* Sums;

    /// <summary>Bias, filled up to whole panels and aligned; or null.</summary>
    public float* Bias;

    /// <summary>Output <c>[rows, columns]</c>.</summary>
    public float* Output;

    public int Columns;
    public bool Relu;
    public bool Accumulate;
}

/// <summary>
/// The 8-bit product of some rows with a packed weight. Weights have a scale for each output; inputs are quantised row by
/// row as they come, with a scale and an offset, so that a row's result doesn't depend on its neighbours.
/// </summary>
// Packed weight: panels of 16 outputs, each [depth / 4, 16, 4], the depth filled up with zeros to a multiple of four.
internal static unsafe class Int8Gemm<TArithmetic>
    where TArithmetic : struct, IInt8Arithmetic
{
    private const int Lane = Int8Tiles<TArithmetic>.Lane;
    private const int Width = Int8Tiles<TArithmetic>.Width;

    public static int PanelCount(int outFeatures) => (outFeatures + Width - 1) / Width;

    public static int PaddedDepth(int depth) => (depth + Lane - 1) / Lane * Lane;

    /// <summary>Quantises and packs <c>[out, in]</c>.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="scale">What each weight is multiplied by.</param>
    /// <param name="packed">Panels, zeroed.</param>
    /// <param name="scales">What a quantum of each output's weights is worth.</param>
    /// <param name="sums">Sum of each output's quantised weights.</param>
    public static void Pack(WeightMatrix weight, float scale, sbyte* packed, float* scales, float* sums)
    {
        int inFeatures = weight.Columns;
        nint panelBytes = (nint)PaddedDepth(inFeatures) * Width;
        weight.Read(PackRows);

        void PackRows(float* values, int first, int count)
        {
            for (int output = first; output < first + count; output++)
            {
                float* row = values + ((nint)(output - first) * inFeatures);
                sbyte* column = packed + (output / Width * panelBytes) + (output % Width * Lane);
                float largest = WeightPacking.LargestMagnitude(row, inFeatures);
                sums[output] = PackOutput(
                    row,
                    inFeatures,
                    largest == 0 ? 0 : TArithmetic.WeightLimit / largest,
                    column
                );
                scales[output] = largest / TArithmetic.WeightLimit * scale;
            }
        }
    }

    /// <summary>Reads one output's weights back.</summary>
    /// <param name="packed">Panels.</param>
    /// <param name="output">Which one.</param>
    /// <param name="scale">What a quantum is worth.</param>
    /// <param name="destination">Room for the inputs.</param>
    /// <param name="inFeatures">Inputs.</param>
    /// <param name="accumulate">Add to what is there.</param>
    public static void Unpack(
        sbyte* packed,
        int output,
        float scale,
        int inFeatures,
        float* destination,
        bool accumulate
    )
    {
        nint panelBytes = (nint)PaddedDepth(inFeatures) * Width;
        sbyte* column = packed + (output / Width * panelBytes) + (output % Width * Lane);
        for (int input = 0; input < inFeatures; input++)
        {
            float weight = column[((nint)(input / Lane) * Width * Lane) + (input % Lane)] * scale;
            destination[input] = accumulate ? weight + destination[input] : weight;
        }
    }

    /// <summary>Quantises one row: <c>x ≈ scale · u + offset</c>.</summary>
    /// <param name="input">The row.</param>
    /// <param name="quantised">Room for u, filled up to a multiple of four.</param>
    public static (float Scale, float Offset) QuantiseRow(ReadOnlySpan<float> input, Span<byte> quantised)
    {
        float scale;
        float offset;
        fixed (float* from = input)
        fixed (byte* to = quantised)
        {
            QuantiseRow(from, input.Length, to, quantised.Length, &scale, &offset);
        }

        return (scale, offset);
    }

    /// <returns>The sum of the quantised weights.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int PackOutput(float* row, int inFeatures, float inverse, sbyte* column)
    {
        const int Lanes = 2;
        nint stride = (nint)Width * Lane;
        Vector256<float> multiplier = Vector256.Create(inverse);
        Vector256<int> sums = Vector256<int>.Zero;
        int input = 0;
        for (; input + (Lanes * Lane) <= inFeatures; input += Lanes * Lane)
        {
            // Rounds to nearest even, as MathF.Round does.
            Vector256<int> quantised = Avx.ConvertToVector256Int32(Vector256.Load(row + input) * multiplier);
            sums += quantised;
            Vector128<short> words = Sse2.PackSignedSaturate(quantised.GetLower(), quantised.GetUpper());
            Vector128<uint> lanes = Sse2.PackSignedSaturate(words, words).AsUInt32();
            *(uint*)(column + (input / Lane * stride)) = lanes[0];
            *(uint*)(column + (((input / Lane) + 1) * stride)) = lanes[1];
        }

        int sum = Vector256.Sum(sums);
        for (; input < inFeatures; input++)
        {
            sbyte quantised = (sbyte)MathF.Round(row[input] * inverse);
            column[(input / Lane * stride) + (input % Lane)] = quantised;
            sum += quantised;
        }

        return sum;
    }

    /// <summary>Quantises rows <paramref name="from"/> (inclusive) to <paramref name="to"/> (exclusive).</summary>
    public static void Quantise(ref readonly Int8GemmArguments arguments, int from, int to)
    {
        int padded = PaddedDepth(arguments.Depth);
        for (int row = from; row < to; row++)
        {
            QuantiseRow(
                arguments.Input + ((nint)row * arguments.Depth),
                arguments.Depth,
                arguments.Quantised + ((nint)row * padded),
                padded,
                arguments.ScalesAndOffsets + row,
                arguments.ScalesAndOffsets + arguments.Rows + row
            );
        }
    }

    /// <summary>Computes the columns of panels <paramref name="fromPanel"/> (inclusive) to <paramref name="toPanel"/> (exclusive).</summary>
    public static void Multiply(ref readonly Int8GemmArguments arguments, int fromPanel, int toPanel)
    {
        int fullPanels = Math.Min(toPanel, arguments.Columns / Width);
        int panel = fromPanel;
        if (arguments.Rows <= Int8Tiles<TArithmetic>.MaxRowsOfTwoPanels)
        {
            for (; panel + 1 < fullPanels; panel += 2)
            {
                Int8TileArguments tile = ArgumentsOf(in arguments, panel);
                Int8Tiles<TArithmetic>.TwoPanels(arguments.Rows, in tile);
            }
        }

        for (; panel < fullPanels; panel++)
        {
            Int8TileArguments tile = ArgumentsOf(in arguments, panel);
            MultiplyPanel(ref tile, arguments.Rows);
        }

        if (panel < toPanel)
        {
            MultiplyLastColumns(in arguments, panel);
        }
    }

    private static void MultiplyPanel(ref Int8TileArguments tile, int rows)
    {
        for (
            int tiles = (rows + Int8Tiles<TArithmetic>.MaxRows - 1) / Int8Tiles<TArithmetic>.MaxRows;
            tiles > 0;
            tiles--
        )
        {
            int height = (rows + tiles - 1) / tiles;
            Int8Tiles<TArithmetic>.OnePanel(height, in tile);
            tile.Output += height * tile.OutputStride;
            Advance(ref tile, height);
            rows -= height;
        }
    }

    /// <summary>A panel that the output has only some columns of: through a scratch tile, since stores are whole vectors.</summary>
    [SkipLocalsInit]
    private static void MultiplyLastColumns(ref readonly Int8GemmArguments arguments, int panel)
    {
        int columns = arguments.Columns - (panel * Width);
        float* scratch = stackalloc float[Int8Tiles<TArithmetic>.MaxRows * Width];
        Int8TileArguments tile = ArgumentsOf(in arguments, panel);
        float* output = tile.Output;
        tile.Output = scratch;
        tile.OutputStride = Width;
        for (int rows = arguments.Rows; rows > 0; )
        {
            int height = Math.Min(rows, Int8Tiles<TArithmetic>.MaxRows);
            for (int row = 0; row < height && tile.Accumulate; row++)
            {
                float* held = output + ((nint)row * arguments.Columns);
                new ReadOnlySpan<float>(held, columns).CopyTo(new Span<float>(scratch + (row * Width), columns));
            }

            Int8Tiles<TArithmetic>.OnePanel(height, in tile);
            for (int row = 0; row < height; row++)
            {
                Span<float> target = new(output + ((nint)row * arguments.Columns), columns);
                new ReadOnlySpan<float>(scratch + (row * Width), columns).CopyTo(target);
            }

            output += (nint)height * arguments.Columns;
            Advance(ref tile, height);
            rows -= height;
        }
    }

    private static void Advance(ref Int8TileArguments tile, int rows)
    {
        tile.Input += rows * tile.InputStride;
        tile.InputScales += rows;
        tile.InputOffsets += rows;
    }

    private static Int8TileArguments ArgumentsOf(ref readonly Int8GemmArguments arguments, int panel)
    {
        int padded = PaddedDepth(arguments.Depth);
        nint column = (nint)panel * Width;
        return new Int8TileArguments
        {
            Input = arguments.Quantised,
            InputStride = padded,
            InputScales = arguments.ScalesAndOffsets,
            InputOffsets = arguments.ScalesAndOffsets + arguments.Rows,
            Panel = arguments.Packed + (column * padded),
            PanelStride = (nint)Width * padded,
            Scales = arguments.Scales + column,
            Sums = arguments.Sums + column,
            Bias = arguments.Bias is null ? null : arguments.Bias + column,
            Output = arguments.Output + column,
            OutputStride = arguments.Columns,
            Relu = arguments.Relu,
            Accumulate = arguments.Accumulate,
        };
    }

    /// <summary><c>x ≈ scale · u + offset</c> with u from 0 to 255; the offset is the row's least value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void QuantiseRow(float* input, int depth, byte* quantised, int padded, float* scale, float* offset)
    {
        float least = float.PositiveInfinity;
        float largest = float.NegativeInfinity;
        int i = 0;
        if (depth >= Vector256<float>.Count)
        {
            Vector256<float> low = Vector256.Load(input);
            Vector256<float> high = low;
            for (i = Vector256<float>.Count; i + Vector256<float>.Count <= depth; i += Vector256<float>.Count)
            {
                Vector256<float> x = Vector256.Load(input + i);
                low = Avx.Min(low, x);
                high = Avx.Max(high, x);
            }

            for (int lane = 0; lane < Vector256<float>.Count; lane++)
            {
                least = MathF.Min(least, low[lane]);
                largest = MathF.Max(largest, high[lane]);
            }
        }

        for (; i < depth; i++)
        {
            least = MathF.Min(least, input[i]);
            largest = MathF.Max(largest, input[i]);
        }

        float range = largest - least;
        float inverse = range > 0 ? byte.MaxValue / range : 0;
        *scale = range / byte.MaxValue;
        *offset = least;
        Vector256<float> inverses = Vector256.Create(inverse);
        Vector256<float> offsets = Vector256.Create(least);
        for (i = 0; i + (2 * Vector256<float>.Count) <= depth; i += 2 * Vector256<float>.Count)
        {
            Vector256<int> first = Avx.ConvertToVector256Int32((Vector256.Load(input + i) - offsets) * inverses);
            Vector256<int> second = Avx.ConvertToVector256Int32((Vector256.Load(input + i + 8) - offsets) * inverses);
            Vector256<short> both = Avx2.Permute4x64(Avx2.PackSignedSaturate(first, second).AsInt64(), 0b11_01_10_00)
                .AsInt16();
            Sse2.PackUnsignedSaturate(both.GetLower(), both.GetUpper()).Store(quantised + i);
        }

        for (; i < depth; i++)
        {
            quantised[i] = (byte)MathF.Round((input[i] - least) * inverse);
        }

        for (; i < padded; i++)
        {
            quantised[i] = 0;
        }
    }
}
