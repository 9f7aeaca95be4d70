namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>The tiles of one instruction set: float32 inputs times a packed weight.</summary>
internal interface ITiles
{
    /// <summary>Columns of a panel.</summary>
    static abstract int Width { get; }

    /// <summary>Most rows of a tile over one panel.</summary>
    static abstract int MaxRows { get; }

    /// <summary>Most rows of a tile over two panels.</summary>
    static abstract int MaxRowsOfTwoPanels { get; }

    static abstract void OnePanel<TFormat>(int rows, ref readonly TileArguments arguments)
        where TFormat : struct, IWeightFormat;

    static abstract void TwoPanels<TFormat>(int rows, ref readonly TileArguments arguments)
        where TFormat : struct, IWeightFormat;

    /// <summary>A group of <see cref="SparseRows"/>, of which so many rows are stored.</summary>
    static abstract void SparseOnePanel<TFormat>(int rows, ref readonly TileArguments arguments)
        where TFormat : struct, IWeightFormat;

    /// <summary>A group of <see cref="SparseRows"/>, of which so many rows are stored.</summary>
    static abstract void SparseTwoPanels<TFormat>(int rows, ref readonly TileArguments arguments)
        where TFormat : struct, IWeightFormat;
}
