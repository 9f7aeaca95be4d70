using System.Runtime.InteropServices;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Matrices;
using Seq2Seq.Inference.Weights;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Weights;

public sealed class FilledWeightsTests
{
    private const int Rows = 1024;
    private const int Columns = 300;

    private readonly float[] _values = [.. Enumerable.Range(0, Rows * Columns).Select(i => (float)i)];

    [Fact]
    public void A_matrix_can_be_read_again_and_as_a_tensor()
    {
        using FilledWeights filled = Fill(("a", _values));
        WeightMatrix matrix = filled.TakeMatrix(["a"], Rows, Columns);

        Read(matrix).Should().Equal(_values);
        Read(matrix).Should().Equal(_values);
        using Tensor tensor = matrix.ToTensor();
        tensor.FloatSpan().ToArray().Should().Equal(_values);
        Read(matrix).Should().Equal(_values);
        filled.Complete().Problems.Should().BeEmpty();
    }

    [Fact]
    public unsafe void Equal_matrices_share_memory_and_count_once()
    {
        using FilledWeights filled = Fill(("a", _values), ("b", [.. _values]));

        using Tensor a = filled.TakeMatrix(["a"], Rows, Columns).ToTensor();
        using Tensor b = filled.TakeMatrix(["b"], Rows, Columns).ToTensor();

        (a.FloatPointer() == b.FloatPointer()).Should().BeTrue();
        filled.Complete().Summary.ParameterCount.Should().Be(Rows * Columns);
    }

    [Fact]
    public unsafe void Matrices_that_differ_at_their_end_share_nothing()
    {
        float[] other = [.. _values];
        other[^1]++;
        using FilledWeights filled = Fill(("a", _values), ("b", other));

        using Tensor a = filled.TakeMatrix(["a"], Rows, Columns).ToTensor();
        using Tensor b = filled.TakeMatrix(["b"], Rows, Columns).ToTensor();

        (a.FloatPointer() == b.FloatPointer()).Should().BeFalse();
        b.FloatSpan().ToArray().Should().Equal(other);
        filled.Complete().Summary.ParameterCount.Should().Be(2 * Rows * Columns);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Values_are_looked_over_whether_or_not_a_layer_reads_them(bool isRead)
    {
        _values[^2] = float.NaN;
        using FilledWeights filled = Fill(("a", _values));
        if (isRead)
        {
            Read(filled.TakeMatrix(["a"], Rows, Columns));
        }

        filled
            .Complete()
            .Problems.Should()
            .ContainSingle()
            .Which.Message.Should()
            .Contain($"NaN at element {_values.Length - 2} of {_values.Length}");
    }

    [Fact]
    public void The_digest_is_the_same_however_weights_are_taken()
    {
        using FilledWeights asMatrix = Fill(("a", _values));
        Read(asMatrix.TakeMatrix(["a"], Rows, Columns));
        using FilledWeights asTensor = Fill(("a", _values));
        asTensor.Take(["a"], [Rows, Columns]).Dispose();

        asMatrix.Complete().Summary.Digest.Should().Be(asTensor.Complete().Summary.Digest);
    }

    private static FilledWeights Fill(params IEnumerable<(string Name, float[] Values)> tensors)
    {
        WeightPlan plan = new(
            new WeightSource(
                "file.bin",
                tensors.Select(tensor => new StoredTensor
                {
                    Name = tensor.Name,
                    File = "file.bin",
                    Type = ElementType.Float32,
                    Shape = [Rows, Columns],
                    Source = new MemoryBytes(MemoryMarshal.AsBytes<float>(tensor.Values).ToArray()),
                    Offset = 0,
                })
            )
        );
        foreach ((string name, float[] _) in tensors)
        {
            plan.Take([name], [Rows, Columns]).Dispose();
        }

        return new FilledWeights(plan, CPU, TestContext.Current.CancellationToken);
    }

    private static unsafe float[] Read(WeightMatrix matrix)
    {
        float[] read = new float[Rows * Columns];
        matrix.Read(
            (values, first, count) =>
                new Span<float>(values, count * Columns).CopyTo(read.AsSpan(first * Columns, count * Columns))
        );
        return read;
    }
}
