using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CsCheck;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Tests.Weights;

public sealed class FloatBlockTests
{
    // Lengths on both sides of every vector's end.
    private static readonly Gen<int> Lengths = Gen.Int[0, 70];
    private static readonly float[] Notable =
    [
        float.NaN,
        float.PositiveInfinity,
        float.NegativeInfinity,
        0f,
        -0f,
        float.Epsilon,
        1f,
        float.MaxValue,
    ];

    [Fact]
    public void Every_half_becomes_the_float_that_it_is()
    {
        ushort[] halves = [.. Enumerable.Range(0, 1 << 16).Select(bits => (ushort)bits)];
        float[] floats = new float[halves.Length];

        FloatBlock.Convert(MemoryMarshal.AsBytes(halves.AsSpan()), ElementType.Float16, isBigEndian: false, floats);

        for (int i = 0; i < halves.Length; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            bool isSame = float.IsNaN(expected)
                ? float.IsNaN(floats[i])
                : BitConverter.SingleToUInt32Bits(floats[i]) == BitConverter.SingleToUInt32Bits(expected);
            isSame.Should().BeTrue($"half 0x{i:x4} is {expected}, not {floats[i]}");
        }
    }

    [Fact]
    public void Every_bfloat16_is_the_upper_half_of_its_float()
    {
        ushort[] halves = [.. Enumerable.Range(0, 1 << 16).Select(bits => (ushort)bits)];
        float[] floats = new float[halves.Length];

        FloatBlock.Convert(MemoryMarshal.AsBytes(halves.AsSpan()), ElementType.BFloat16, isBigEndian: false, floats);

        MemoryMarshal.Cast<float, uint>(floats).ToArray().Should().Equal(halves.Select(half => (uint)half << 16));
    }

    [Fact]
    public void Doubles_are_rounded_to_the_nearest_float() =>
        Gen
            .Double.Array[Lengths]
            .Sample(doubles =>
            {
                float[] floats = new float[doubles.Length];

                FloatBlock.Convert(
                    MemoryMarshal.AsBytes<double>(doubles.ToArray().AsSpan()),
                    ElementType.Float64,
                    isBigEndian: false,
                    floats
                );

                floats.Should().Equal(doubles.Select(value => (float)value));
            });

    [Fact]
    public void Big_endian_numbers_are_turned_round() =>
        Gen
            .Float.Array[Lengths]
            .Sample(values =>
            {
                byte[] bytes = new byte[values.Length * sizeof(float)];
                for (int i = 0; i < values.Length; i++)
                {
                    BinaryPrimitives.WriteSingleBigEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
                }

                float[] floats = new float[values.Length];
                FloatBlock.Convert(bytes, ElementType.Float32, isBigEndian: true, floats);

                floats.Should().Equal(values);
            });

    [Fact]
    public void Inspection_finds_what_is_not_finite_and_what_is_not_zero_wherever_it_stands() =>
        Gen.Select(Gen.Int[1, 70], Gen.Int[0, 69], Gen.Int[0, Notable.Length - 1].Select(i => Notable[i]))
            .Where((length, index, _) => index < length)
            .Sample(
                (length, index, value) =>
                {
                    float[] values = new float[length];
                    values[index] = value;

                    (bool isFinite, bool isZero) = FloatBlock.Inspect(values);

                    isFinite.Should().Be(float.IsFinite(value));
                    isZero.Should().Be(value == 0);
                }
            );
}
