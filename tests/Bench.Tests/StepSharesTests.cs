using Seq2Seq.Bench.Profile;

namespace Seq2Seq.Bench.Tests;

public sealed class StepSharesTests
{
    private const string Lane = "Seq2Seq.Inference.Scheduling.DecodingLane.Run()";

    [Fact]
    public void A_sample_counts_for_the_innermost_method_that_is_known()
    {
        StepShares shares = StepShares.Of([
            [
                "System.Runtime.Intrinsics.Vector512.Add",
                "Seq2Seq.Inference.Layers.Kernels.Gemm`2[Avx512Tiles,Float32Format].Multiply",
                "Seq2Seq.Inference.Layers.Attention.CpuAttention.Decode",
                Lane,
            ],
            ["Seq2Seq.Inference.Generation.Scores.ArgMax", Lane],
            ["Seq2Seq.Inference.Layers.Kernels.NormKernels.Rms", Lane],
            ["Seq2Seq.Inference.Devices.ComputeTeam.WaitForWork", "Seq2Seq.Inference.Devices.ComputeTeam.Work"],
        ]);

        shares.Samples.Should().Be(4);
        (shares.Gemm, shares.Search, shares.Other, shares.Idle).Should().Be((0.25, 0.25, 0.25, 0.25));
    }

    [Fact]
    public void Threads_that_do_not_decode_are_left_out() =>
        StepShares
            .Of([
                ["Seq2Seq.Inference.Tokenization.Tokenizer.Encode", "System.Threading.ThreadPool.Run"],
            ])
            .Samples.Should()
            .Be(0);
}
