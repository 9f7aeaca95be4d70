namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Operands of one product of some rows with a packed weight.</summary>
internal unsafe struct GemmArguments
{
    /// <summary>Input <c>[rows, depth]</c>.</summary>
    public float* Input;

    /// <summary>Floats from one input row to the next.</summary>
    public nint InputStride;

    public int Rows;

    /// <summary>Length of the inner dimension.</summary>
    public int Depth;

    /// <summary>The weight, packed for the tiles and in the format in use.</summary>
    public byte* Packed;

    /// <summary>Scales of the outputs, filled up to whole panels and aligned; or null.</summary>
    public float* Scales;

    /// <summary>Bias, filled up to whole panels and aligned; or null.</summary>
    public float* Bias;

    /// <summary>Output <c>[rows, columns]</c>.</summary>
    public float* Output;

    /// <summary>Floats from one output row to the next.</summary>
    public nint OutputStride;

    public int Columns;

    /// <summary>Negative sums become zero (after the bias).</summary>
    public bool Relu;

    /// <summary>The result is added to what the output holds, else it replaces it.</summary>
    public bool Accumulate;
}
