using System.Globalization;
using Seq2Seq.Inference.Layers.Kernels;

namespace Seq2Seq.Inference.Devices.Tests;

/// <summary>Alone, because every load of the process takes from what is offered.</summary>
[Collection(nameof(PreparedMemoryTests))]
[CollectionDefinition(nameof(PreparedMemoryTests), DisableParallelization = true)]
public sealed unsafe class PreparedMemoryTests
{
    private const int Weight = 300_000;

    [Fact]
    public void Weights_lie_in_it_one_after_the_other_and_are_zero()
    {
        using PreparedMemory memory = PreparedMemory.Begin(4 << 20)!;
        memory.Offer();
        using AlignedBuffer<byte> first = new(Weight, isZeroed: false, isWeight: true);
        using AlignedBuffer<byte> second = new(Weight, isZeroed: false, isWeight: true);

        ((nint)second.Pointer - (nint)first.Pointer).Should().BeInRange(Weight, Weight + Environment.SystemPageSize);
        first.Span.ContainsAnyExcept((byte)0).Should().BeFalse();
        second.Span.ContainsAnyExcept((byte)0).Should().BeFalse();
    }

    [Fact]
    public void Weights_that_it_has_no_room_for_lie_elsewhere()
    {
        using PreparedMemory memory = PreparedMemory.Begin(2 << 20)!;
        memory.Offer();
        using AlignedBuffer<byte> large = new(3 << 20, isWeight: true);
        using AlignedBuffer<byte> small = new(Weight, isWeight: true);

        large.Span.Fill(1);
        small.Span.Fill(2);

        large.Span.ContainsAnyExcept((byte)1).Should().BeFalse();
    }

    [Fact]
    public void What_no_weight_took_is_given_back_and_a_weight_outlives_it()
    {
        PreparedMemory memory = PreparedMemory.Begin(64 << 20)!;
        memory.Offer();
        AlignedBuffer<byte> weight = new(Weight, isWeight: true);
        byte* inside = weight.Pointer;
        byte* behind = weight.Pointer + (2 << 20);
        IsMapped(behind).Should().BeTrue();

        memory.Dispose();

        IsMapped(behind).Should().BeFalse();
        IsMapped(inside).Should().BeTrue();
        weight.Span.Fill(1);

        weight.Dispose();

        IsMapped(inside).Should().BeFalse();
    }

    [Fact]
    public void Without_an_offer_all_of_it_is_given_back()
    {
        using (PreparedMemory.Begin(4 << 20))
        {
            using AlignedBuffer<byte> weight = new(Weight, isWeight: true);

            weight.Span.Fill(1);
        }

        ((nint)PreparedMemory.Take((nuint)Environment.SystemPageSize)).Should().Be(0);
    }

    [Fact]
    public void Less_than_a_huge_page_is_not_worth_it()
    {
        PreparedMemory.Begin(1 << 20).Should().BeNull();
    }

    private static bool IsMapped(byte* address) =>
        File.ReadLines("/proc/self/maps")
            .Select(line => line.Split(' ')[0].Split('-'))
            .Any(range =>
                ulong.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) <= (ulong)address
                && (ulong)address < ulong.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            );
}
