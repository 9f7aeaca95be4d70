using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>How an instruction set multiplies bytes and adds up the products of each 32-bit lane.</summary>
internal interface IInt8Arithmetic
{
    static abstract bool IsSupported { get; }

    /// <summary>Weights are quantised to the integers from minus this to this.</summary>
    static abstract int WeightLimit { get; }

    /// <summary>Adds <c>Σ input · weight</c> of four neighbours to each lane.</summary>
    static abstract Vector256<int> MultiplyAdd(Vector256<int> sum, Vector256<byte> input, Vector256<sbyte> weight);
}

/// <summary>One instruction, all products and sums in 32 bits.</summary>
internal readonly struct VnniArithmetic : IInt8Arithmetic
{
    public static bool IsSupported => AvxVnni.IsSupported;

    public static int WeightLimit => 127;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> sum, Vector256<byte> input, Vector256<sbyte> weight) =>
        AvxVnni.MultiplyWideningAndAdd(sum, input, weight);
}

/// <summary>
/// Without VNNI the sum of two products goes through 16 bits, and must fit: 2 · 255 · 64 = 32,640. So weights have seven
/// bits; halving the inputs' range instead would cost more, since they, not the weights, have outliers.
/// </summary>
internal readonly struct Avx2Arithmetic : IInt8Arithmetic
{
    public static bool IsSupported => Avx2.IsSupported;

    public static int WeightLimit => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> sum, Vector256<byte> input, Vector256<sbyte> weight) =>
        sum + Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(input, weight), Vector256.Create((short)1));
}
