using System.Runtime.CompilerServices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>
/// The float32 product of some rows with a packed weight, <c>y = activation(x Wᵀ + b)</c>, on tiles of
/// <typeparamref name="TTiles"/>.
/// </summary>
// Packed weight: panels of Width outputs, each [depth, Width] in order, the last one filled up with zeros; read once in
// order, so that the prefetcher keeps up when it comes from memory. Blocking: for a block of rows that fits the second
// level cache, for each panel (which fits the first level for depths up to 512), for each tile of rows. Team: each thread
// takes a run of panels, so the weight, the larger operand, is read once altogether.
internal static unsafe class Float32Gemm<TTiles>
    where TTiles : IFloat32Tiles
{
    private const int RowBlockBytes = 256 * 1024;

    public static int PanelCount(int outFeatures) => (outFeatures + TTiles.Width - 1) / TTiles.Width;

    /// <summary>Packs <c>[out, in]</c> into panels.</summary>
    public static void Pack(float* weight, int outFeatures, int inFeatures, float* packed)
    {
        int width = TTiles.Width;
        for (int first = 0; first < outFeatures; first += width)
        {
            int columns = Math.Min(width, outFeatures - first);
            float* panel = packed + ((nint)first * inFeatures);
            for (int column = 0; column < columns; column++)
            {
                float* source = weight + ((nint)(first + column) * inFeatures);
                float* destination = panel + column;
                for (int i = 0; i < inFeatures; i++)
                {
                    destination[(nint)i * width] = source[i];
                }
            }
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
                TTiles.TwoPanels(rows, in tile);
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

    /// <summary>Tiles of nearly equal height, so that no short one is left at the end.</summary>
    private static void MultiplyPanel(ref TileArguments tile, int rows)
    {
        int tiles = (rows + TTiles.MaxRows - 1) / TTiles.MaxRows;
        for (; tiles > 0; tiles--)
        {
            int height = (rows + tiles - 1) / tiles;
            TTiles.OnePanel(height, in tile);
            tile.Input += height * tile.InputStride;
            tile.Output += height * tile.OutputStride;
            rows -= height;
        }
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

            TTiles.OnePanel(height, in tile);
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
        nint panelStride = (nint)arguments.Depth * TTiles.Width;
        return new TileArguments
        {
            Input = arguments.Input + (row * arguments.InputStride),
            InputStride = arguments.InputStride,
            Panel = arguments.Packed + (panel * panelStride),
            PanelStride = panelStride,
            Depth = arguments.Depth,
            Output = arguments.Output + (row * arguments.OutputStride) + column,
            OutputStride = arguments.OutputStride,
            Bias = arguments.Bias is null ? null : arguments.Bias + column,
            Relu = arguments.Relu,
            Accumulate = arguments.Accumulate,
        };
    }
}
