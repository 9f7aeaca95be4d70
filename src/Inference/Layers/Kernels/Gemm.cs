using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Seq2Seq.Inference.Layers.Matrices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>
/// The product of some rows with a packed weight, <c>y = activation(x Wᵀ + b)</c>, on tiles of <typeparamref name="TTiles"/>.
/// </summary>
// Packed weight: panels of Width outputs, each [depth, Width] in order, the last one filled up with zeros; read once in
// order, so that the prefetcher keeps up when it comes from memory. Blocking: for a block of rows that fits the second
// level cache, for each panel (which fits the first level for depths up to 512), for each tile of rows. Team: each chunk
// is a run of panels, so the weight, the larger operand, is read once altogether.
// 16-bit weights are widened in the tile; a panel that serves many tiles is widened once, into scratch memory.
internal static unsafe class Gemm<TTiles, TFormat>
    where TTiles : ITiles
    where TFormat : struct, IWeightFormat
{
    private const int RowBlockBytes = 256 * 1024;

    /// <summary>Up to so many tiles widen the weights each for themselves: cheaper than to store and load them again.</summary>
    private const int TilesThatWiden = 3;

    [ThreadStatic]
    private static AlignedBuffer<float>? s_widened;

    public static int PanelCount(int outFeatures) => (outFeatures + TTiles.Width - 1) / TTiles.Width;

    /// <summary>Bytes of a weight when packed.</summary>
    public static nint PackedBytes(int outFeatures, int inFeatures) =>
        (nint)PanelCount(outFeatures) * TTiles.Width * inFeatures * TFormat.WeightBytes;

    /// <summary>Packs <c>[out, in]</c> into panels; scales may be null in formats that have none.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="scale">What each weight is multiplied by.</param>
    /// <param name="packed">The panels.</param>
    /// <param name="scales">What the sums of each output are to be multiplied by.</param>
    public static void Pack(WeightMatrix weight, float scale, byte* packed, float* scales)
    {
        int inFeatures = weight.Columns;
        nint stride = (nint)TTiles.Width * TFormat.WeightBytes;
        weight.Read(PackRows);
        int columns = PanelCount(weight.Rows) * TTiles.Width;
        for (int output = weight.Rows; output < columns; output++)
        {
            if (output % WeightPacking.GroupOutputs == 0)
            {
                PackGroup(values: null, output, 0);
            }
        }

        void PackRows(float* values, int first, int count)
        {
            for (int row = 0; row < count; row += WeightPacking.GroupOutputs)
            {
                PackGroup(
                    values + ((nint)row * inFeatures),
                    first + row,
                    Math.Min(count - row, WeightPacking.GroupOutputs)
                );
            }
        }

        void PackGroup(float* values, int output, int outputs)
        {
            int panel = output / TTiles.Width;
            int column = output % TTiles.Width;
            WeightPacking.PackGroup<TFormat>(
                values,
                outputs,
                inFeatures,
                scale,
                packed + (panel * inFeatures * stride) + (column * TFormat.WeightBytes),
                stride,
                scales + output
            );
        }
    }

    /// <summary>Computes the columns of panels <paramref name="fromPanel"/> (inclusive) to <paramref name="toPanel"/> (exclusive).</summary>
    public static void Multiply(ref readonly GemmArguments arguments, int fromPanel, int toPanel)
    {
        int blockRows = Math.Max(TTiles.MaxRows, RowBlockBytes / (arguments.Depth * sizeof(float)));
        for (int row = 0; row < arguments.Rows; row += blockRows)
        {
            MultiplyBlock(in arguments, row, Math.Min(blockRows, arguments.Rows - row), fromPanel, toPanel);
        }
    }

    /// <summary>The same for rows that are given by what isn't zero in them.</summary>
    public static void MultiplySparse(
        ref readonly GemmArguments arguments,
        ref readonly SparseRows input,
        int fromPanel,
        int toPanel
    )
    {
        int fullPanels = Math.Min(toPanel, arguments.Columns / TTiles.Width);
        int panel = fromPanel;
        for (; panel + 1 < fullPanels; panel += 2)
        {
            for (int row = 0; row < arguments.Rows; row += SparseRows.GroupRows)
            {
                TileArguments tile = SparseArgumentsOf(in arguments, in input, row, panel);
                TTiles.SparseTwoPanels<TFormat>(Math.Min(SparseRows.GroupRows, arguments.Rows - row), in tile);
            }
        }

        for (; panel < toPanel; panel++)
        {
            for (int row = 0; row < arguments.Rows; row += SparseRows.GroupRows)
            {
                TileArguments tile = SparseArgumentsOf(in arguments, in input, row, panel);
                MultiplySparsePanel(ref tile, row, panel, in arguments);
            }
        }
    }

    [SkipLocalsInit]
    private static void MultiplySparsePanel(
        ref TileArguments tile,
        int row,
        int panel,
        ref readonly GemmArguments arguments
    )
    {
        int rows = Math.Min(SparseRows.GroupRows, arguments.Rows - row);
        int columns = Math.Min(TTiles.Width, arguments.Columns - (panel * TTiles.Width));
        if (columns == TTiles.Width)
        {
            TTiles.SparseOnePanel<TFormat>(rows, in tile);
            return;
        }

        float* scratch = stackalloc float[SparseRows.GroupRows * TTiles.Width];
        float* output = tile.Output;
        tile.Output = scratch;
        tile.OutputStride = TTiles.Width;
        if (tile.Accumulate)
        {
            Copy(output, arguments.OutputStride, scratch, TTiles.Width, rows, columns);
        }

        TTiles.SparseOnePanel<TFormat>(rows, in tile);
        Copy(scratch, TTiles.Width, output, arguments.OutputStride, rows, columns);
    }

    private static void MultiplyBlock(
        ref readonly GemmArguments arguments,
        int row,
        int rows,
        int fromPanel,
        int toPanel
    )
    {
        int fullPanels = Math.Min(toPanel, arguments.Columns / TTiles.Width);
        int panel = fromPanel;
        if (rows <= TTiles.MaxRowsOfTwoPanels)
        {
            for (; panel + 1 < fullPanels; panel += 2)
            {
                TileArguments tile = ArgumentsOf(in arguments, row, panel);
                TTiles.TwoPanels<TFormat>(rows, in tile);
            }
        }

        for (; panel < fullPanels; panel++)
        {
            TileArguments tile = ArgumentsOf(in arguments, row, panel);
            MultiplyPanel(ref tile, rows);
        }

        if (panel < toPanel)
        {
            MultiplyLastColumns(in arguments, row, rows, panel);
        }
    }

    private static void MultiplyPanel(ref TileArguments tile, int rows)
    {
        int tiles = (rows + TTiles.MaxRows - 1) / TTiles.MaxRows;
        bool isWidened = tiles > TilesThatWiden && typeof(TFormat) != typeof(Float32Format);
        if (isWidened)
        {
            Widen(ref tile);
        }

        // Tiles of nearly equal height, so that no short one is left at the end.
        for (; tiles > 0; tiles--)
        {
            int height = (rows + tiles - 1) / tiles;
            if (isWidened)
            {
                TTiles.OnePanel<Float32Format>(height, in tile);
            }
            else
            {
                TTiles.OnePanel<TFormat>(height, in tile);
            }

            tile.Input += height * tile.InputStride;
            tile.Output += height * tile.OutputStride;
            rows -= height;
        }
    }

    /// <summary>Puts the panel's weights as float32 in its place.</summary>
    private static void Widen(ref TileArguments tile)
    {
        nint count = tile.Depth * TTiles.Width;
        if (s_widened is null || s_widened.Length < count)
        {
            s_widened?.Dispose();
            s_widened = new AlignedBuffer<float>(count);
        }

        float* widened = s_widened.Pointer;
        for (nint i = 0; i < count; i += Vector256<float>.Count)
        {
            TFormat.Load256(tile.Panel + (i * TFormat.WeightBytes)).StoreAligned(widened + i);
        }

        tile.Panel = (byte*)widened;
    }

    /// <summary>A panel that the output has only some columns of: through a scratch tile, since stores are whole vectors.</summary>
    [SkipLocalsInit]
    private static void MultiplyLastColumns(ref readonly GemmArguments arguments, int row, int rows, int panel)
    {
        int columns = arguments.Columns - (panel * TTiles.Width);
        float* scratch = stackalloc float[TTiles.MaxRows * TTiles.Width];
        TileArguments tile = ArgumentsOf(in arguments, row, panel);
        float* output = tile.Output;
        tile.Output = scratch;
        tile.OutputStride = TTiles.Width;
        while (rows > 0)
        {
            int height = Math.Min(rows, TTiles.MaxRows);
            if (tile.Accumulate)
            {
                Copy(output, arguments.OutputStride, scratch, TTiles.Width, height, columns);
            }

            TTiles.OnePanel<TFormat>(height, in tile);
            Copy(scratch, TTiles.Width, output, arguments.OutputStride, height, columns);
            tile.Input += height * tile.InputStride;
            output += height * arguments.OutputStride;
            rows -= height;
        }
    }

    private static void Copy(float* from, nint fromStride, float* to, nint toStride, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            new ReadOnlySpan<float>(from + (row * fromStride), columns).CopyTo(
                new Span<float>(to + (row * toStride), columns)
            );
        }
    }

    private static TileArguments ArgumentsOf(ref readonly GemmArguments arguments, int row, int panel)
    {
        nint column = (nint)panel * TTiles.Width;
        nint panelStride = (nint)arguments.Depth * TTiles.Width * TFormat.WeightBytes;
        return new TileArguments
        {
            Input = arguments.Input + (row * arguments.InputStride),
            InputStride = arguments.InputStride,
            Panel = arguments.Packed + (panel * panelStride),
            PanelStride = panelStride,
            Depth = arguments.Depth,
            Output = arguments.Output + (row * arguments.OutputStride) + column,
            OutputStride = arguments.OutputStride,
            Scales = arguments.Scales is null ? null : arguments.Scales + column,
            Bias = arguments.Bias is null ? null : arguments.Bias + column,
            Relu = arguments.Relu,
            Accumulate = arguments.Accumulate,
        };
    }

    private static TileArguments SparseArgumentsOf(
        ref readonly GemmArguments arguments,
        ref readonly SparseRows input,
        int row,
        int panel
    )
    {
        int group = row / SparseRows.GroupRows;
        TileArguments tile = ArgumentsOf(in arguments, row, panel);
        tile.Input = input.Values(group);
        tile.InputStride = input.Stride;
        tile.Offsets = input.Offsets(group);
        tile.Depth = input.Count(group);
        return tile;
    }
}
