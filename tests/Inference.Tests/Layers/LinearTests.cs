using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers;

public sealed class LinearTests
{
    private static readonly Gen<(int Rows, int In, int Out, bool Bias)> Shapes = Gen.Select(
        Gen.Int[0, 9],
        Gen.Int[1, 40],
        Gen.Int[1, 70],
        Gen.Bool
    );

    [Theory]
    [InlineData(ComputeType.Float32, 1e-5)]
    [InlineData(ComputeType.Float16, 2e-2)]
    [InlineData(ComputeType.BFloat16, 1e-1)]
    [InlineData(ComputeType.Int8, 5e-2)]
    public void Every_compute_type_multiplies_as_torch_does(ComputeType computeType, double tolerance) =>
        Shapes.Sample(
            shape =>
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor weight = randn(shape.Out, shape.In);
                Tensor? bias = shape.Bias ? randn(shape.Out) : null;
                Tensor input = randn(shape.Rows, 2, shape.In);
                using Linear linear = Linear.Create(weight, bias, computeType);

                Tensor output = linear.Forward(input);

                Tensor expected = nn.functional.linear(input, weight, bias);
                output.shape.Should().Equal(expected.shape);
                output.dtype.Should().Be(ScalarType.Float32);
                double scale = Math.Sqrt(shape.In);
                allclose(output, expected, rtol: 0, atol: tolerance * scale).Should().BeTrue();
            },
            iter: 50
        );

    [Fact]
    public void A_layer_outlives_the_handles_that_it_was_made_from()
    {
        using Tensor input = ones(1, 3);
        Linear linear;
        using (Tensor weight = ones(2, 3))
        using (Tensor bias = ones(2))
        {
            linear = Linear.Create(weight, bias, ComputeType.Float32);
        }

        using (linear)
        using (Tensor output = linear.Forward(input))
        {
            output.data<float>().ToArray().Should().Equal(4f, 4f);
        }
    }

    [Fact]
    public void A_bias_of_another_length_is_refused_with_both_shapes()
    {
        using Tensor weight = ones(2, 3);
        using Tensor bias = ones(3);
        Action create = () => Linear.Create(weight, bias, ComputeType.Float32);
        create.Should().Throw<ArgumentException>().WithMessage("*[2]; found [3]*");
    }
}
