namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>What a tile of a matrix product reads and writes. Passed by reference: a tile is called once for some thousand multiplications.</summary>
internal unsafe struct TileArguments
{
    /// <summary>First input row.</summary>
    public float* Input;

    /// <summary>Floats from one input row to the next.</summary>
    public nint InputStride;

    /// <summary>The panel: <c>[depth, width]</c>.</summary>
    public byte* Panel;

    /// <summary>Bytes from this panel to the next.</summary>
    public nint PanelStride;

    /// <summary>Length of the inner dimension; in a sparse tile, its places that aren't zero.</summary>
    public nint Depth;

    /// <summary>In a sparse tile, the places as offsets in bytes into the panel; the input is the values there.</summary>
    public int* Offsets;

    /// <summary>First output row, at the panel's first column.</summary>
    public float* Output;

    /// <summary>Floats from one output row to the next.</summary>
    public nint OutputStride;

    /// <summary>What the sums of the panel's columns are multiplied by, or null.</summary>
    public float* Scales;

    /// <summary>Bias of the panel's columns, or null.</summary>
    public float* Bias;

    /// <summary>Negative sums become zero (after the bias).</summary>
    public bool Relu;

    /// <summary>The result is added to what the output holds (a residual connection), else it replaces it.</summary>
    public bool Accumulate;
}
