using System.Runtime.Intrinsics.X86;
using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Kernels;
using Seq2Seq.Inference.Layers.Matrices;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers;

/// <summary>Weights in fewer bits: how far results are from those of float32, and when not at all.</summary>
public sealed class WeightFormatTests
{
    private static readonly Gen<(int Rows, int In, int Out, bool Bias)> Shapes = Gen.Select(
        Gen.Int[0, 50],
        Gen.Int[1, 130],
        Gen.Int[1, 150],
        Gen.Bool
    );

    /// <summary>Float32, float16, bfloat16 of each instruction set, and both 8-bit arithmetics, as far as the processor has them.</summary>
    public static TheoryData<string, double> Kernels { get; } =
        new()
        {
            { "AVX2 float16", 5e-4 },
            { "AVX2 bfloat16", 4e-3 },
            { "AVX-512 float16", 5e-4 },
            { "AVX-512 bfloat16", 4e-3 },
            { "AVX2 int8", 2e-2 },
            { "VNNI int8", 1e-2 },
        };

    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_error_is_a_small_share_of_the_products(string kernel, double tolerance) =>
        Shapes.Sample(
            shape =>
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor weight = randn(shape.Out, shape.In);
                Tensor? bias = shape.Bias ? randn(shape.Out) : null;
                Tensor input = randn(shape.Rows, shape.In);
                using Linear linear = Create(kernel, weight, bias);

                Tensor error = (linear.Forward(input) - nn.functional.linear(input, weight, bias)).abs();

                // A product's magnitude is the lengths of its two vectors.
                Tensor magnitude = input.norm(1, keepdim: true) * weight.norm(1) + 1e-3;
                (error / magnitude).le(tolerance).all().item<bool>().Should().BeTrue();
            },
            iter: 60
        );

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Rows_give_the_same_bits_alone_and_on_a_team(string kernel, double tolerance)
    {
        _ = tolerance;
        using DisposeScope scope = NewDisposeScope();
        using ComputeTeam team = new(2, "test");
        Tensor input = randn(50, 300);
        using Linear linear = Create(kernel, randn(500, 300), randn(500));
        float[] together;
        using (team.Enter())
        {
            together = linear.Forward(input).FloatSpan().ToArray();
        }

        for (int row = 0; row < 50; row++)
        {
            Span<float> alone = linear.Forward(input[row..(row + 1)]).FloatSpan();
            together.AsSpan(row * 500, 500).SequenceEqual(alone).Should().BeTrue();
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Rows_are_activated_and_added_up(string kernel, double tolerance) =>
        Shapes.Sample(
            shape =>
            {
                using DisposeScope scope = NewDisposeScope();
                using Linear linear = Create(kernel, randn(shape.Out, shape.In), bias: null);
                using Rows input = new(shape.In, CPU, shape.Rows);
                using Rows output = new(shape.Out, CPU, shape.Rows);
                input.Tensor.normal_();
                output.Tensor.normal_();
                Tensor expected = output.Tensor + linear.Forward(input.Tensor).relu();

                linear.Forward(input, output, Activation.Relu, accumulate: true);

                allclose(output.Tensor, expected, rtol: tolerance, atol: 1e-5).Should().BeTrue();
            },
            iter: 20
        );

    [Theory]
    [InlineData("AVX2 float32")]
    [InlineData("AVX2 float16")]
    [InlineData("AVX-512 float32")]
    [InlineData("AVX-512 bfloat16")]
    public void Skipping_the_zeros_after_a_relu_changes_no_bit(string kernel) =>
        Gen.Select(Shapes, Gen.Double[0, 1], Gen.Bool)
            .Sample(
                (shape, zeros, accumulate) =>
                {
                    using DisposeScope scope = NewDisposeScope();
                    Tensor bias = randn(shape.Out);
                    using Linear linear = Create(kernel, randn(shape.Out, shape.In), shape.Bias ? bias : null);
                    using Rows input = new(shape.In, CPU, shape.Rows);
                    using Rows output = new(shape.Out, CPU, shape.Rows);
                    using Rows expected = new(shape.Out, CPU, shape.Rows);
                    // Zeros of both signs.
                    input.Tensor.copy_(randn(shape.Rows, shape.In) * rand(shape.Rows, shape.In).gt(zeros));
                    output.Tensor.normal_();
                    output.Span.CopyTo(expected.Span);
                    linear.Forward(input, expected, Activation.Relu, accumulate);

                    input.IsRectified = true;
                    linear.Forward(input, output, Activation.Relu, accumulate);

                    output.Span.SequenceEqual(expected.Span).Should().BeTrue();
                },
                iter: 60
            );

    [Theory]
    [InlineData("AVX2")]
    [InlineData("AVX-512")]
    public void Weights_of_a_float16_checkpoint_lose_nothing(string instructionSet)
    {
        using DisposeScope scope = NewDisposeScope();
        // Rows of very different sizes, zeros, and denormal halves among them.
        Tensor sizes = linspace(-20, 10, 70, dtype: ScalarType.Float32).exp2().unsqueeze(1);
        Tensor weight = (randn(70, 90) * sizes).to_type(ScalarType.Float16).to_type(ScalarType.Float32);
        weight[3].zero_();
        Tensor input = randn(40, 90);
        using Linear narrow = Create($"{instructionSet} float16", weight, bias: null);
        using Linear wide = Create($"{instructionSet} float32", weight, bias: null);

        narrow.Forward(input).FloatSpan().SequenceEqual(wide.Forward(input).FloatSpan()).Should().BeTrue();
    }

    [Fact]
    public void Both_instruction_sets_give_the_same_bits_in_float16()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = randn(70, 90);
        Tensor input = randn(40, 90);
        using Linear narrow = Create("AVX2 float16", weight, bias: null);
        using Linear wide = Create("AVX-512 float16", weight, bias: null);
        narrow.Forward(input).FloatSpan().SequenceEqual(wide.Forward(input).FloatSpan()).Should().BeTrue();
    }

    [Theory]
    [InlineData("AVX2 int8")]
    [InlineData("VNNI int8")]
    public void The_largest_values_do_not_overflow(string kernel)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = ones(20, 4096);
        Tensor input = ones(3, 4096);
        input[0, 0] = 0;
        using Linear linear = Create(kernel, weight, bias: null);
        allclose(linear.Forward(input), nn.functional.linear(input, weight), rtol: 1e-3).Should().BeTrue();
    }

    [Theory]
    [InlineData("AVX2 int8")]
    [InlineData("VNNI int8")]
    public void A_constant_row_is_exact_and_an_output_of_zeros_stays_zero(string kernel)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = ones(2, 5);
        weight[1].zero_();
        using Linear linear = Create(kernel, weight, bias: null);
        linear.Forward(full([1, 5], 3f)).FloatSpan().ToArray().Should().Equal(15, 0);
    }

    private static Linear Create(string kernel, Tensor weight, Tensor? bias)
    {
        Assert.SkipWhen(kernel.StartsWith("AVX-512", StringComparison.Ordinal) && !Avx512F.IsSupported, "No AVX-512.");
        Assert.SkipWhen(kernel.StartsWith("VNNI", StringComparison.Ordinal) && !AvxVnni.IsSupported, "No VNNI.");
        Assert.SkipUnless(Avx2.IsSupported && Fma.IsSupported, "No AVX2.");
        TensorMatrix matrix = new(weight);
        return kernel switch
        {
            "AVX2 float32" => new PackedLinear<Avx2Tiles, Float32Format>(matrix, bias),
            "AVX2 float16" => new PackedLinear<Avx2Tiles, Float16Format>(matrix, bias),
            "AVX2 bfloat16" => new PackedLinear<Avx2Tiles, BFloat16Format>(matrix, bias),
            "AVX-512 float32" => new PackedLinear<Avx512Tiles, Float32Format>(matrix, bias),
            "AVX-512 float16" => new PackedLinear<Avx512Tiles, Float16Format>(matrix, bias),
            "AVX-512 bfloat16" => new PackedLinear<Avx512Tiles, BFloat16Format>(matrix, bias),
            "AVX2 int8" => new Int8Linear<Avx2Arithmetic>(matrix, bias),
            "VNNI int8" => new Int8Linear<VnniArithmetic>(matrix, bias),
            _ => throw new ArgumentOutOfRangeException(nameof(kernel), kernel, message: null),
        };
    }
}
