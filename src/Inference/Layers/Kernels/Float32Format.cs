using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Weights as they are.</summary>
internal readonly unsafe struct Float32Format : IWeightFormat
{
    public static int WeightBytes => sizeof(float);

    public static bool HasScales => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* weights) => Vector256.LoadAligned((float*)weights);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* weights) => Vector512.LoadAligned((float*)weights);

    public static float Multiplier(float largest) => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store256(Vector256<float> weights, byte* destination) =>
        weights.StoreAligned((float*)destination);
}
