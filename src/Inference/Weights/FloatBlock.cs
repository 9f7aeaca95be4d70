using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// The arithmetic of one block of numbers as it is read: other types become float32, and the float32 values are looked
/// over while they are in the cache. All loops are vectorised.
/// </summary>
internal static class FloatBlock
{
    private const uint ExponentMask = 0x7F80_0000;

    /// <summary>Whether every value is finite, and whether every value is zero (of either sign).</summary>
    // As these all: optimised from the first call on, for a load is over before the runtime has counted enough of them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (bool IsFinite, bool IsZero) Inspect(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(values);
        Vector256<uint> exponent = Vector256.Create(ExponentMask);
        Vector256<uint> notFinite = Vector256<uint>.Zero;
        Vector256<uint> any = Vector256<uint>.Zero;
        int i = 0;
        for (; i <= bits.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            Vector256<uint> value = Vector256.Create(bits[i..]);
            notFinite |= Vector256.Equals(value & exponent, exponent);
            any |= value << 1;
        }

        bool isFinite = notFinite == Vector256<uint>.Zero;
        bool isZero = any == Vector256<uint>.Zero;
        for (; i < bits.Length; i++)
        {
            isFinite &= (bits[i] & ExponentMask) != ExponentMask;
            isZero &= bits[i] << 1 == 0;
        }

        return (isFinite, isZero);
    }

    /// <summary>Makes float32 of numbers as they are stored. A float64 beyond float32's range becomes infinite.</summary>
    /// <param name="stored">The stored bytes; reversed in place when they are big-endian.</param>
    /// <param name="type">Their type, one of the readable ones.</param>
    /// <param name="isBigEndian">Whether the most significant byte comes first.</param>
    /// <param name="destination">As many numbers as <paramref name="stored"/> holds.</param>
    public static void Convert(Span<byte> stored, ElementType type, bool isBigEndian, Span<float> destination)
    {
        if (type == ElementType.Float32)
        {
            Span<uint> words = MemoryMarshal.Cast<byte, uint>(stored);
            Reverse(words, isBigEndian);
            words.CopyTo(MemoryMarshal.Cast<float, uint>(destination));
        }
        else if (type == ElementType.Float64)
        {
            Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(stored);
            Reverse(words, isBigEndian);
            FromDouble(MemoryMarshal.Cast<ulong, double>(words), destination);
        }
        else
        {
            Span<ushort> words = MemoryMarshal.Cast<byte, ushort>(stored);
            Reverse(words, isBigEndian);
            if (type == ElementType.BFloat16)
            {
                FromBFloat16(words, destination);
            }
            else if (type == ElementType.Float16)
            {
                FromHalf(words, destination);
            }
            else
            {
                throw new ArgumentOutOfRangeException(nameof(type), type.Name, message: null);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FromDouble(ReadOnlySpan<double> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<double> lower = Vector256.Create(source[i..]);
            Vector256<double> upper = Vector256.Create(source[(i + Vector256<double>.Count)..]);
            Vector256.Narrow(lower, upper).CopyTo(destination[i..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = (float)source[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FromBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        Span<uint> bits = MemoryMarshal.Cast<float, uint>(destination);
        int i = 0;
        for (; i <= source.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(Vector256.Create(source[i..]));
            (lower << 16).CopyTo(bits[i..]);
            (upper << 16).CopyTo(bits[(i + Vector256<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            bits[i] = (uint)source[i] << 16;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FromHalf(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(Vector256.Create(source[i..]));
            WidenHalf(lower).CopyTo(destination[i..]);
            WidenHalf(upper).CopyTo(destination[(i + Vector256<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = (float)BitConverter.UInt16BitsToHalf(source[i]);
        }
    }

    // Subnormal halves are made by subtracting two normal floats, never by a subnormal float: a thread that flushes
    // subnormals to zero (inference threads do) must not change a weight.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> WidenHalf(Vector256<uint> half)
    {
        const uint HalfExponent = 0x7C00u << 13;
        const uint SmallestNormal = 113u << 23;
        Vector256<uint> sign = (half & Vector256.Create(0x8000u)) << 16;
        Vector256<uint> magnitude = (half & Vector256.Create(0x7FFFu)) << 13;
        Vector256<uint> exponent = magnitude & Vector256.Create(HalfExponent);
        Vector256<uint> normal = magnitude + Vector256.Create((127u - 15u) << 23);
        Vector256<uint> special = normal + Vector256.Create((128u - 16u) << 23);
        Vector256<uint> subnormal = (
            (magnitude + Vector256.Create(SmallestNormal)).AsSingle() - Vector256.Create(SmallestNormal).AsSingle()
        ).AsUInt32();
        Vector256<uint> result = Vector256.ConditionalSelect(
            Vector256.Equals(exponent, Vector256.Create(HalfExponent)),
            special,
            Vector256.ConditionalSelect(Vector256.Equals(exponent, Vector256<uint>.Zero), subnormal, normal)
        );
        return (result | sign).AsSingle();
    }

    private static void Reverse(Span<ushort> words, bool isBigEndian)
    {
        if (isBigEndian)
        {
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }

    private static void Reverse(Span<uint> words, bool isBigEndian)
    {
        if (isBigEndian)
        {
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }

    private static void Reverse(Span<ulong> words, bool isBigEndian)
    {
        if (isBigEndian)
        {
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }
}
