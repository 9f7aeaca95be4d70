using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Matrices;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers.Matrices;

public sealed class WeightMatrixTests
{
    [Fact]
    public void Blocks_are_whole_groups_of_rows_and_cover_the_matrix_once() =>
        Gen.Select(Gen.Int[1, 3000], Gen.Int[1, 300])
            .Sample(
                (rows, columns) =>
                {
                    using Tensor tensor = randn(rows, columns);
                    TensorMatrix matrix = new(tensor);
                    List<(int First, int Count)> blocks = [];
                    for (int block = 0; block < matrix.BlockCount; block++)
                    {
                        unsafe
                        {
                            matrix.ReadBlock(block, (_, first, count) => blocks.Add((first, count)));
                        }
                    }

                    int next = 0;
                    foreach ((int first, int count) in blocks)
                    {
                        first.Should().Be(next).And.Match(row => row % WeightMatrix.RowGroup == 0);
                        next += count;
                    }

                    next.Should().Be(rows);
                },
                iter: 50
            );

    [Theory]
    [InlineData(512, 32, 512)]
    [InlineData(16, 9, 40)]
    [InlineData(3, 5, 7)]
    public void Joined_matrices_lie_one_below_the_other(int first, int second, int third)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] parts = [randn(first, 130), randn(second, 130), randn(third, 130)];
        Tensor whole = cat(parts, 0);

        WeightMatrix joined = JoinedMatrix.Of([.. parts.Select(part => new TensorMatrix(part))]);

        joined.ToTensor().FloatSpan().SequenceEqual(whole.FloatSpan()).Should().BeTrue();
        using Linear fused = Linear.Create(joined, bias: null, ComputeType.Float32);
        using Linear expected = Linear.Create(whole, bias: null, ComputeType.Float32);
        Tensor input = randn(5, 130);
        fused.Forward(input).FloatSpan().SequenceEqual(expected.Forward(input).FloatSpan()).Should().BeTrue();
    }

    [Fact]
    public void A_layer_gives_back_what_it_was_made_of()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = randn(1003, 77);
        using Linear layer = Linear.Create(weight, bias: null, ComputeType.Float32);
        Assert.SkipUnless(layer.HoldsWeights, "The layer is torch's.");

        new LayerMatrix(layer).ToTensor().FloatSpan().SequenceEqual(weight.FloatSpan()).Should().BeTrue();
    }

    [Theory]
    [InlineData(ComputeType.Float32)]
    [InlineData(ComputeType.Float16)]
    [InlineData(ComputeType.BFloat16)]
    [InlineData(ComputeType.Int8)]
    public void A_scaled_layer_is_that_of_the_scaled_weight(ComputeType computeType)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = randn(150, 66);
        Tensor input = randn(4, 66);
        using Linear scaled = Linear.Create(new TensorMatrix(weight), bias: null, computeType, 0.044);
        using Linear expected = Linear.Create(weight * 0.044, bias: null, computeType);

        scaled.Forward(input).allclose(expected.Forward(input), rtol: 1e-5, atol: 1e-5).Should().BeTrue();
    }

    [Fact]
    public void What_a_block_throws_is_thrown()
    {
        Action read = () => Linear.Create(new BrokenMatrix(), bias: null, ComputeType.Float32);

        read.Should().Throw<InvalidDataException>();
    }

    private sealed class BrokenMatrix() : WeightMatrix(64, 8)
    {
        public override bool IsOnCpu => true;

        public override int BlockCount => 4;

        public override void ReadBlock(int block, RowsTaker take) => throw new InvalidDataException();
    }
}
