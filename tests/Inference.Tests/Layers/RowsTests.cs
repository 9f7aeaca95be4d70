using Seq2Seq.Inference.Layers;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers;

[Collection(TensorCount.Collection)]
public sealed class RowsTests
{
    [Fact]
    public void The_tensor_and_the_span_are_the_same_memory()
    {
        using Rows rows = new(3, CPU, 2);
        rows.Tensor.fill_(1);
        rows.Span[4] = 7;
        rows.Span.ToArray().Should().Equal(1, 1, 1, 1, 7, 1);
        using Tensor element = rows.Tensor[1, 1];
        element.item<float>().Should().Be(7);
    }

    [Fact]
    public void Shrinking_and_growing_within_the_capacity_keeps_the_memory()
    {
        using Rows rows = new(3, CPU, 4);
        rows.Span.Fill(5);
        rows.Resize(1);
        rows.Tensor.shape.Should().Equal(1, 3);
        rows.Resize(4);
        rows.Span.ToArray().Should().OnlyContain(value => value == 5);
    }

    [Fact]
    public void No_tensor_outlives_its_rows()
    {
        long before = Tensor.TotalCount;
        using (Rows rows = new(3, CPU))
        {
            rows.Resize(10);
            rows.Tensor.shape.Should().Equal(10, 3);
            rows.Resize(100);
            rows.Tensor.shape.Should().Equal(100, 3);
        }

        Tensor.TotalCount.Should().Be(before);
    }
}
