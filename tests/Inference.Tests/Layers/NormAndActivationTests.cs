using CsCheck;
using Seq2Seq.Inference.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers;

[Collection(TensorCount.Collection)]
public sealed class NormAndActivationTests
{
    [Fact]
    public void Rms_norm_divides_by_the_root_mean_square()
    {
        using DisposeScope scope = NewDisposeScope();
        using RmsNorm norm = new(tensor(new float[] { 1, 2 }), epsilon: 0);

        float[] output = [.. norm.Forward(tensor(new float[] { 3, -4 })).data<float>()];

        float root = MathF.Sqrt(12.5f);
        output[0].Should().BeApproximately(3 / root, 1e-6f);
        output[1].Should().BeApproximately(-8 / root, 1e-6f);
    }

    [Fact]
    public void Layer_norm_centres_scales_and_shifts()
    {
        using DisposeScope scope = NewDisposeScope();
        using LayerNorm norm = new(tensor(new float[] { 1, 2 }), tensor(new float[] { 0.5f, 0.5f }), epsilon: 0);

        float[] output = [.. norm.Forward(tensor(new float[] { 1, 3 })).data<float>()];

        output[0].Should().BeApproximately(-0.5f, 1e-6f);
        output[1].Should().BeApproximately(2.5f, 1e-6f);
    }

    [Theory]
    [InlineData("relu", -1.0, 0.0)]
    [InlineData("relu", 2.0, 2.0)]
    [InlineData("gelu", 1.0, 0.8413447)]
    [InlineData("gelu_new", 1.0, 0.8411920)]
    [InlineData("silu", 1.0, 0.7310586)]
    [InlineData("tanh", 1.0, 0.7615942)]
    [InlineData("linear", -3.0, -3.0)]
    public void Activations_give_their_textbook_values(string name, double value, double expected)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor output = Activations.Parse(name).Apply(tensor(new float[] { (float)value }));
        output.item<float>().Should().BeApproximately((float)expected, 1e-6f);
    }

    [Fact]
    public void An_unknown_activation_is_refused_with_the_names_that_exist()
    {
        Action parse = () => Activations.Parse("maxout");
        parse.Should().Throw<FormatException>().WithMessage("'maxout'*'gelu_new'*");
    }

    [Fact]
    public void An_embedding_looks_up_and_scales()
    {
        using DisposeScope scope = NewDisposeScope();
        using Embedding embedding = new(
            tensor(
                new float[,]
                {
                    { 1, 2 },
                    { 3, 4 },
                }
            ),
            scale: 2
        );
        embedding.Forward(tensor(new long[] { 1, 0 })).data<float>().ToArray().Should().Equal(6f, 8f, 2f, 4f);
    }

    [Fact]
    public void Norms_of_rows_equal_torch_s_at_every_width() =>
        Gen.Select(Gen.Int[0, 40], Gen.Int[1, 600])
            .Sample(
                (count, width) =>
                {
                    using DisposeScope scope = NewDisposeScope();
                    using RmsNorm rms = new(randn(width), 1e-6);
                    using LayerNorm layer = new(randn(width), randn(width));
                    using Rows input = Filled(count, width);
                    Tensor expectedRms = rms.Forward(input.Tensor);
                    Tensor expectedLayer = layer.Forward(input.Tensor);
                    using Rows output = new(width, CPU);

                    rms.Forward(input, output);
                    allclose(output.Tensor, expectedRms, rtol: 1e-4, atol: 1e-5).Should().BeTrue();
                    layer.Forward(input, output);
                    // Layer norm of one or two values cancels.
                    allclose(output.Tensor, expectedLayer, rtol: 1e-4, atol: width < 3 ? 1e-2 : 1e-4)
                        .Should()
                        .BeTrue();
                    rms.Forward(input, input);
                    allclose(input.Tensor, expectedRms, rtol: 1e-4, atol: 1e-5).Should().BeTrue();
                },
                iter: 100
            );

    [Theory]
    [InlineData(Activation.Identity)]
    [InlineData(Activation.Relu)]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.GeluTanh)]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.Tanh)]
    public void A_gate_multiplies_the_activated_half_with_the_other(object activation) =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[1, 50])
            .Sample(
                (count, width) =>
                {
                    using DisposeScope scope = NewDisposeScope();
                    using Rows input = Filled(count, 2 * width);
                    using Rows output = new(width, CPU);

                    ((Activation)activation).Gate(input, output);

                    Tensor[] halves = input.Tensor.chunk(2, 1);
                    Tensor expected = ((Activation)activation).Apply(halves[0]) * halves[1];
                    allclose(output.Tensor, expected, rtol: 1e-4, atol: 1e-5).Should().BeTrue();
                },
                iter: 30
            );

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, true)]
    public void Embedded_rows_equal_the_table_s(double scale, bool accumulate)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = randn(7, 13);
        using Embedding embedding = new(weight, scale);
        using Rows output = Filled(3, 13);
        Tensor expected = embedding.Forward(tensor(new long[] { 6, 0, 6 }));
        expected = accumulate ? expected + output.Tensor : expected;

        embedding.Forward([6, 0, 6], output, accumulate);

        allclose(output.Tensor, expected).Should().BeTrue();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(7)]
    public void An_id_outside_the_table_is_refused(int id)
    {
        using Tensor weight = ones(7, 2);
        using Embedding embedding = new(weight);
        using Rows output = new(2, CPU);
        Action look = () => embedding.Forward([id], output);
        look.Should().Throw<ArgumentOutOfRangeException>();
    }

    private static Rows Filled(int count, int width)
    {
        Rows rows = new(width, CPU, count);
        rows.Tensor.normal_();
        return rows;
    }

    [Fact]
    public void Forward_passes_leave_no_tensors_behind()
    {
        using Tensor weight = ones(4);
        using Tensor input = randn(3, 4);
        using RmsNorm norm = new(weight, 1e-6);
        long before = Tensor.TotalCount;

        norm.Forward(input).Dispose();
        Activation.GeluTanh.Apply(input).Dispose();

        Tensor.TotalCount.Should().Be(before);
    }
}
