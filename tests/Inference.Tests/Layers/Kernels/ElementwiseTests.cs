using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers.Kernels;

public sealed class ElementwiseTests
{
    public static TheoryData<object> AllActivations => [.. Enum.GetValues<Activation>().Cast<object>()];

    [Theory]
    [MemberData(nameof(AllActivations))]
    public unsafe void Activations_equal_torch_over_the_whole_range(object activation)
    {
        using DisposeScope scope = NewDisposeScope();
        // An odd count, so that the last vector is a partial one.
        Tensor values = linspace(-100, 100, 400_001, dtype: ScalarType.Float32);
        Tensor expected = ((Activation)activation).Apply(values.to(float64));
        Tensor actual = values.clone();

        Elementwise.Apply((Activation)activation, actual.FloatPointer(), (int)actual.numel());

        allclose(actual.to(float64), expected, rtol: 1e-6, atol: 3e-7).Should().BeTrue();
    }

    [Fact]
    public unsafe void Nothing_beyond_the_count_is_touched()
    {
        float[] values = [-1, -2, -3, -4];
        fixed (float* pointer = values)
        {
            Elementwise.Apply(Activation.Relu, pointer, 3);
        }

        values.Should().Equal(0, 0, 0, -4);
    }
}
