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

    /// <summary>What an output's weights are multiplied by before they are stored; 1 in formats without scales.</summary>
    /// <param name="largest">The largest magnitude among them.</param>
    static abstract float Multiplier(float largest);

    /// <summary>Writes eight neighbours of a panel's row; aligned to their size.</summary>
    static abstract void Store256(Vector256<float> weights, byte* destination);
}
