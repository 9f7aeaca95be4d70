using CsCheck;
using Seq2Seq.Inference.Devices;
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

    /// <summary>transformers' ACT2FN at −3, −0.5, 0.7 and 12.</summary>
    [Theory]
    [InlineData("linear", -3f, -0.5f, 0.7f, 12f)]
    [InlineData("relu", 0f, 0f, 0.7f, 12f)]
    [InlineData("leaky_relu", -0.03f, -0.005f, 0.7f, 12f)]
    [InlineData("relu6", 0f, 0f, 0.7f, 6f)]
    [InlineData("relu2", 0f, 0f, 0.49f, 144f)]
    [InlineData("gelu", -0.004050225f, -0.1542688f, 0.5306255f, 12f)]
    [InlineData("gelu_python", -0.004049689f, -0.1542688f, 0.5306255f, 12f)]
    [InlineData("gelu_10", -0.004050225f, -0.1542688f, 0.5306255f, 10f)]
    [InlineData("gelu_new", -0.003637433f, -0.154286f, 0.5305701f, 12f)]
    [InlineData("gelu_fast", -0.003637433f, -0.154286f, 0.5305701f, 12f)]
    [InlineData("gelu_accurate", -0.003637433f, -0.154286f, 0.5305701f, 12f)]
    [InlineData("gelu_pytorch_tanh", -0.003637433f, -0.154286f, 0.5305701f, 12f)]
    [InlineData("gelu_python_tanh", -0.003637433f, -0.154286f, 0.5305701f, 12f)]
    [InlineData("quick_gelu", -0.01807131f, -0.1496116f, 0.536894f, 12f)]
    [InlineData("silu", -0.1422776f, -0.1887703f, 0.4677314f, 11.99993f)]
    [InlineData("swish", -0.1422776f, -0.1887703f, 0.4677314f, 11.99993f)]
    [InlineData("mish", -0.1456475f, -0.2207438f, 0.5611483f, 12f)]
    [InlineData("tanh", -0.9950548f, -0.4621172f, 0.6043678f, 1f)]
    [InlineData("sigmoid", 0.04742587f, 0.3775407f, 0.6681877f, 0.9999938f)]
    [InlineData("laplace", 0f, 9.387732e-06f, 0.4899502f, 1f)]
    public void An_activation_of_a_config_equals_the_reference(string name, float a, float b, float c, float d)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor output = Activations.Parse(name).Apply(tensor(new[] { -3f, -0.5f, 0.7f, 12f }));
        allclose(output, tensor(new[] { a, b, c, d }), rtol: 1e-5, atol: 1e-6).Should().BeTrue();
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

    public static TheoryData<object> AllActivations => [.. Enum.GetValues<Activation>().Cast<object>()];

    [Theory]
    [MemberData(nameof(AllActivations))]
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
    [InlineData(1, false)]
    [InlineData(3, true)]
    public void Tied_rows_equal_the_table_s_without_it(double scale, bool accumulate)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = randn(71, 13);
        using Linear head = Linear.Create(weight, bias: null, ComputeType.Float32);
        using Embedding own = new(weight, scale);
        using Embedding tied = new(head, scale);
        using Rows expected = Filled(4, 13);
        using Rows output = new(13, CPU, 4);
        output.Tensor.copy_(expected.Tensor);

        own.Forward([70, 0, 33, 70], expected, accumulate);
        tied.Forward([70, 0, 33, 70], output, accumulate);

        output.Span.SequenceEqual(expected.Span).Should().BeTrue();
    }

    [Theory]
    [InlineData(ComputeType.Float16)]
    [InlineData(ComputeType.Int8)]
    public void A_layer_that_rounds_its_weights_is_no_table(ComputeType computeType)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = randn(71, 13);
        using Linear head = Linear.Create(weight, bias: null, computeType);

        Action tie = () => _ = new Embedding(head);

        tie.Should().Throw<ArgumentException>();
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
