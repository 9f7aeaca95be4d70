using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Weights as the upper halves of floats, rounded to nearest even: all of their range, 8 bits of precision.</summary>
internal readonly unsafe struct BFloat16Format : IWeightFormat
{
    private const int LowerBits = 16;

    public static int WeightBytes => sizeof(ushort);

    public static bool HasScales => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* weights) =>
        (Avx2.ConvertToVector256Int32((ushort*)weights) << LowerBits).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* weights) =>
        (Avx512F.ConvertToVector512Int32(Vector256.LoadAligned((ushort*)weights)) << LowerBits).AsSingle();

    public static float Multiplier(float largest) => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store256(Vector256<float> weights, byte* destination)
    {
        Vector256<uint> bits = weights.AsUInt32();
        Vector256<uint> rounding = Vector256.Create(0x7FFFu) + ((bits >> LowerBits) & Vector256<uint>.One);
        Vector256<int> upper = ((bits + rounding) >> LowerBits).AsInt32();
        Sse41.PackUnsignedSaturate(upper.GetLower(), upper.GetUpper()).StoreAligned((ushort*)destination);
    }
}
