using System.Runtime.InteropServices;
using CsCheck;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;
using Seq2Seq.Inference.Weights.Pickle;
using Seq2Seq.Inference.Weights.Torch;

namespace Seq2Seq.Inference.Tests.Weights.Torch;

public sealed class TorchTensorsTests
{
    private const int Count = 24;
    private static readonly PickleGlobal Float = PickleAllowList.Find("torch", "FloatStorage")!;
    private static readonly float[] Values = [.. Enumerable.Range(0, Count).Select(i => (float)i)];

    [Theory]
    [InlineData(0, 0, 0f)]
    [InlineData(5, 0, 5f)]
    [InlineData(0, 7, 7f)]
    [InlineData(5, 7, 12f)]
    public void A_view_begins_at_its_own_offset_behind_that_of_its_storage(long offset, long storageOffset, float first)
    {
        StoredTensor tensor = Resolve([new PickleTensor(Storage(storageOffset), offset, [2], [1])])[0];

        Read(tensor).Should().Equal(first, first + 1);
    }

    [Fact]
    public void Any_strides_gather_the_elements_that_they_name() =>
        Gen.Select(Gen.Long[1, 3].Array[0, 4], Gen.Long[0, 7].Array[4], Gen.Long[0, 5])
            .Sample(
                (shape, allStrides, offset) =>
                {
                    long[] strides = allStrides[..shape.Length];
                    List<float> expected = [];
                    Expect(0, offset);
                    long count = shape.Aggregate(1L, (a, b) => a * b);
                    long last = offset + shape.Zip(strides, (size, stride) => (size - 1) * stride).Sum();
                    Action resolve = () =>
                        Read(Resolve([new PickleTensor(Storage(), offset, shape, strides)])[0])
                            .Should()
                            .Equal(expected);
                    if (last < Count && count <= Count)
                    {
                        resolve();
                    }
                    else
                    {
                        resolve.Should().Throw<LoadRefusedException>().WithMessage("*'t0' is impossible*");
                    }

                    void Expect(int dimension, long place)
                    {
                        if (dimension == shape.Length)
                        {
                            expected.Add(place);
                            return;
                        }

                        for (int i = 0; i < shape[dimension]; i++)
                        {
                            Expect(dimension + 1, place + i * strides[dimension]);
                        }
                    }
                }
            );

    [Fact]
    public void Tied_tensors_are_one_view()
    {
        PickleTensor tied = new(Storage(), 0, [4, 6], [1, 4]);

        IReadOnlyList<StoredTensor> tensors = Resolve([tied, tied]);

        tensors[1].Source.Should().BeSameAs(tensors[0].Source);
    }

    [Fact]
    public void Views_that_take_their_storage_many_times_over_are_refused()
    {
        PickleTensor[] views = [.. Enumerable.Range(0, 20).Select(i => new PickleTensor(Storage(), i % 4, [20], [1]))];
        PickleTensor[] shifted = [.. Enumerable.Range(0, 20).Select(i => new PickleTensor(Storage(), i, [4], [1]))];

        Resolve(views).Should().HaveCount(20, "equal views cost nothing");
        Resolve(shifted).Should().HaveCount(20);
        Action resolve = () =>
            Resolve([
                .. Enumerable.Range(1, 12).Select(size => new PickleTensor(Storage(), 0, [2 * size], [1])),
                .. shifted,
                .. Enumerable.Range(0, 8).Select(i => new PickleTensor(Storage(), i, [16], [1])),
            ]);
        resolve.Should().Throw<LoadRefusedException>().WithMessage("*at most 8 times as many*");
    }

    [Theory]
    [InlineData(-1, new long[] { 2 }, new long[] { 1 })]
    [InlineData(0, new long[] { -2 }, new long[] { 1 })]
    [InlineData(0, new long[] { 2 }, new long[] { -1 })]
    [InlineData(0, new long[] { 2, 2 }, new long[] { 1 })]
    [InlineData(long.MaxValue, new long[] { 2 }, new long[] { 1 })]
    [InlineData(0, new long[] { 2 }, new long[] { long.MaxValue })]
    [InlineData(0, new long[] { long.MaxValue, long.MaxValue }, new long[] { 0, 0 })]
    [InlineData(0, new long[] { Count + 1 }, new long[] { 0 })]
    [InlineData(1, new long[] { Count }, new long[] { 1 })]
    public void Views_that_leave_their_storage_are_refused_by_name(long offset, long[] shape, long[] strides)
    {
        Action resolve = () => Resolve([new PickleTensor(Storage(), offset, shape, strides)]);

        resolve.Should().Throw<LoadRefusedException>().WithMessage("file.bin: tensor 't0' is impossible*");
    }

    private static PickleStorage Storage(long viewOffset = 0) => new(Float, "0", Count, viewOffset);

    private static IReadOnlyList<StoredTensor> Resolve(IReadOnlyList<PickleTensor> tensors) =>
        new TorchTensors(
            "file.bin",
            (_, _) => new MemoryBytes(MemoryMarshal.AsBytes<float>(Values).ToArray())
        ).Resolve([.. tensors.Select((tensor, i) => ($"t{i}", tensor))]);

    private static float[] Read(StoredTensor tensor)
    {
        float[] values = new float[tensor.ElementCount];
        StoredTensorReader.Read(tensor, 0, values, crc: null);
        return values;
    }
}
