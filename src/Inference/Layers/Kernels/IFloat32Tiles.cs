namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>The float32 tiles of one instruction set.</summary>
internal interface IFloat32Tiles
{
    /// <summary>Columns of a panel.</summary>
    static abstract int Width { get; }

    /// <summary>Most rows of a tile over one panel.</summary>
    static abstract int MaxRows { get; }

    /// <summary>Most rows of a tile over two panels.</summary>
    static abstract int MaxRowsOfTwoPanels { get; }

    static abstract void OnePanel(int rows, ref readonly TileArguments arguments);

    static abstract void TwoPanels(int rows, ref readonly TileArguments arguments);
}
