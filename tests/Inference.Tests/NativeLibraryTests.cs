namespace Seq2Seq.Inference.Tests;

public sealed class NativeLibraryTests
{
    [Fact]
    public void Libtorch_loads_and_computes()
    {
        using var ones = TorchSharp.torch.ones(2, 3);
        using var sum = ones.sum();
        sum.item<float>().Should().Be(6f);
    }
}
