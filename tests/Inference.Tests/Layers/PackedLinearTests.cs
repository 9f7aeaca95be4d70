using System.Runtime.Intrinsics.X86;
using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Kernels;
using Seq2Seq.Inference.Layers.Matrices;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers;

public sealed class PackedLinearTests
{
    /// <summary>Odd sizes, one to many tiles and panels, and depths on both sides of a row block.</summary>
    private static readonly Gen<(int Rows, int In, int Out, bool Bias)> Shapes = Gen.Select(
        Gen.Int[0, 40],
        Gen.Int[1, 130],
        Gen.Int[1, 150],
        Gen.Bool
    );

    [Fact]
    public void Avx2_tiles_multiply_as_torch_does()
    {
        Assert.SkipUnless(Avx2.IsSupported && Fma.IsSupported, "The processor has no AVX2.");
        MultipliesAsTorch((weight, bias) => new PackedLinear<Avx2Tiles, Float32Format>(new TensorMatrix(weight), bias));
    }

    [Fact]
    public void Avx512_tiles_multiply_as_torch_does()
    {
        Assert.SkipUnless(Avx512F.IsSupported, "The processor has no AVX-512.");
        MultipliesAsTorch(
            (weight, bias) => new PackedLinear<Avx512Tiles, Float32Format>(new TensorMatrix(weight), bias)
        );
    }

    [Fact]
    public void Both_instruction_sets_give_the_same_bits()
    {
        Assert.SkipUnless(Avx512F.IsSupported, "The processor has no AVX-512.");
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = randn(70, 300);
        Tensor input = randn(23, 300);
        using PackedLinear<Avx2Tiles, Float32Format> narrow = new(new TensorMatrix(weight), bias: null);
        using PackedLinear<Avx512Tiles, Float32Format> wide = new(new TensorMatrix(weight), bias: null);

        narrow.Forward(input).FloatSpan().SequenceEqual(wide.Forward(input).FloatSpan()).Should().BeTrue();
    }

    [Fact]
    public void A_row_gives_the_same_bits_alone_and_in_any_company() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 70])
            .Sample(
                (rows, outFeatures) =>
                {
                    using DisposeScope scope = NewDisposeScope();
                    Tensor input = randn(rows, 50);
                    using Linear linear = Linear.Create(randn(outFeatures, 50), bias: null, ComputeType.Float32);
                    Span<float> together = linear.Forward(input).FloatSpan();
                    for (int row = 0; row < rows; row++)
                    {
                        Span<float> alone = linear.Forward(input[row..(row + 1)]).FloatSpan();
                        together.Slice(row * outFeatures, outFeatures).SequenceEqual(alone).Should().BeTrue();
                    }
                },
                iter: 20
            );

    [Fact]
    public void A_team_gives_the_same_bits_as_one_thread()
    {
        using DisposeScope scope = NewDisposeScope();
        using ComputeTeam team = new(3, "test");
        Tensor input = randn(9, 40);
        using Linear linear = Linear.Create(randn(200, 40), randn(200), ComputeType.Float32);
        float[] alone = linear.Forward(input).FloatSpan().ToArray();

        using ComputeTeam.Membership membership = team.Enter();
        linear.Forward(input).FloatSpan().ToArray().Should().Equal(alone);
    }

    [Theory]
    [InlineData(Activation.Identity, true)]
    [InlineData(Activation.Relu, false)]
    [InlineData(Activation.Gelu, false)]
    [InlineData(Activation.GeluTanh, false)]
    public void Rows_are_activated_and_added_to_what_the_output_holds(object activation, bool accumulate) =>
        Shapes.Sample(
            shape =>
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor weight = randn(shape.Out, shape.In);
                using Linear packed = Linear.Create(weight, bias: null, ComputeType.Float32);
                using Linear plain = new PlainLinear(weight, bias: null, ScalarType.Float32);
                using Rows input = Filled(shape.Rows, shape.In);
                using Rows output = Filled(shape.Rows, shape.Out);
                using Rows expected = new(shape.Out, CPU, shape.Rows);
                output.Span.CopyTo(expected.Span);

                packed.Forward(input, output, (Activation)activation, accumulate);
                plain.Forward(input, expected, (Activation)activation, accumulate);

                allclose(output.Tensor, expected.Tensor, rtol: 1e-5, atol: 1e-4).Should().BeTrue();
            },
            iter: 50
        );

    [Fact]
    public void An_input_need_not_be_contiguous()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = randn(5, 4);
        Tensor input = randn(4, 3).t();
        using Linear linear = Linear.Create(weight.t().contiguous().t(), bias: null, ComputeType.Float32);
        allclose(linear.Forward(input), nn.functional.linear(input, weight), atol: 1e-5).Should().BeTrue();
    }

    [Fact]
    public void Rows_of_another_width_are_refused_with_both_shapes()
    {
        using Tensor weight = ones(2, 3);
        using Linear linear = Linear.Create(weight, bias: null, ComputeType.Float32);
        using Rows input = new(4, CPU, 1);
        using Rows output = new(2, CPU);
        Action forward = () => linear.Forward(input, output);
        forward.Should().Throw<ArgumentException>().WithMessage("*3 → 2*[1, 4]*");
    }

    private static Rows Filled(int count, int width)
    {
        Rows rows = new(width, CPU, count);
        rows.Tensor.normal_();
        return rows;
    }

    private static void MultipliesAsTorch(Func<Tensor, Tensor?, Linear> create) =>
        Shapes.Sample(
            shape =>
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor weight = randn(shape.Out, shape.In);
                Tensor? bias = shape.Bias ? randn(shape.Out) : null;
                Tensor input = randn(shape.Rows, shape.In);
                using Linear linear = create(weight, bias);

                Tensor output = linear.Forward(input);

                Tensor expected = nn.functional.linear(input, weight, bias);
                output.shape.Should().Equal(expected.shape);
                allclose(output, expected, rtol: 1e-5, atol: 1e-4).Should().BeTrue();
            },
            iter: 150
        );
}
