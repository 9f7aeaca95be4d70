using System.Runtime.Intrinsics;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>How a panel holds its weights. They are multiplied in float32 whatever they are stored as.</summary>
internal unsafe interface IWeightFormat
{
    /// <summary>Bytes of a weight.</summary>
    static abstract int WeightBytes { get; }

    /// <summary>Whether each output has a scale, that its sums are multiplied by.</summary>
    static abstract bool HasScales { get; }

    /// <summary>Reads eight neighbours of a panel's row; aligned to their size.</summary>
    static abstract Vector256<float> Load256(byte* weights);

    /// <summary>Reads sixteen neighbours of a panel's row; aligned to their size.</summary>
    static abstract Vector512<float> Load512(byte* weights);

    /// <summary>Writes the weights of one output down a column of its panel.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="count">Number of weights.</param>
    /// <param name="column">Where the first goes.</param>
    /// <param name="stride">Bytes from one to the next.</param>
    /// <returns>The output's scale.</returns>
    static abstract float Pack(float* weights, int count, byte* column, nint stride);
}
