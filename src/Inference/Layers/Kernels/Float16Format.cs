using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>
/// Weights as IEEE half floats, each output's multiplied by a power of two that brings its largest near the top of the
/// range. So weights of a float16 checkpoint (and those of a bfloat16 one) are held without loss, but for values some
/// 2⁻²⁹ of the output's largest; others are rounded to 11 bits.
/// </summary>
// A half is [sign | 5 bits of exponent + 15 | 10 bits]. With its fields moved to a float's, [sign | 8 bits of exponent + 127 |
// 23 bits], it reads 2⁻¹¹² times too small, exactly. The sign is copied into the upper bits by the extension and masked out
// of the exponent. Denormal halves would be denormal floats then, which our threads flush: they are packed as zeros.
internal readonly unsafe struct Float16Format : IWeightFormat
{
    private const int FieldShift = 13;
    private const int ExponentDifference = (127 - 15) << 10;
    private const int SmallestNormal = ExponentDifference + (1 << 10);
    private const int Fields = unchecked((int)0x8FFFE000);
    private const float Rebias = 5.192296858534828e33f; // 2¹¹²

    public static int WeightBytes => sizeof(ushort);

    public static bool HasScales => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* weights)
    {
        Vector256<int> bits = Avx2.ConvertToVector256Int32((short*)weights) << FieldShift;
        return (bits & Vector256.Create(Fields)).AsSingle() * Vector256.Create(Rebias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* weights)
    {
        Vector512<int> bits = Avx512F.ConvertToVector512Int32(Vector256.LoadAligned((short*)weights)) << FieldShift;
        return (bits & Vector512.Create(Fields)).AsSingle() * Vector512.Create(Rebias);
    }

    // The largest comes to lie in [2¹⁴, 2¹⁵): rounding up can't overflow.
    public static float Multiplier(float largest) =>
        largest == 0 ? 1 : MathF.ScaleB(1, Math.Clamp(14 - MathF.ILogB(largest), -100, 100));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store256(Vector256<float> weights, byte* destination)
    {
        Vector256<int> bits = weights.AsInt32();
        Vector256<int> sign = (bits >>> 16) & Vector256.Create(0x8000);
        Vector256<int> magnitude = bits & Vector256.Create(int.MaxValue);
        Vector256<int> toEven = Vector256.Create(0xFFF) + ((magnitude >>> FieldShift) & Vector256<int>.One);
        Vector256<int> rounded = (magnitude + toEven) >>> FieldShift;
        Vector256<int> isNormal = Vector256.GreaterThanOrEqual(rounded, Vector256.Create(SmallestNormal));
        Vector256<int> half = (sign | (rounded - Vector256.Create(ExponentDifference))) & isNormal;
        Sse41.PackUnsignedSaturate(half.GetLower(), half.GetUpper()).StoreAligned((ushort*)destination);
    }
}
