using Seq2Seq.Inference.Calibration;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Tests.Calibration;

public sealed class ComputeTypeTrialTests
{
    [Fact]
    public void The_fastest_type_with_the_same_tokens_is_taken() =>
        Best((ComputeType.Float16, 0, 130), (ComputeType.Int8, 0, 200)).Should().Be(ComputeType.Int8);

    [Fact]
    public void A_type_that_gives_other_tokens_is_not_taken_however_fast() =>
        Best((ComputeType.Float16, 0, 130), (ComputeType.Int8, 1, 900)).Should().Be(ComputeType.Float16);

    [Fact]
    public void A_gain_that_may_be_chance_leaves_float32() =>
        Best((ComputeType.Float16, 0, 105), (ComputeType.Int8, 3, 0)).Should().Be(ComputeType.Float32);

    private static ComputeType Best(params (ComputeType Type, int Differing, double Speed)[] others) =>
        ComputeTypeTrial.Best([
            new ComputeTypeTrial(ComputeType.Float32, DifferingLines: 0, TokensPerSecond: 100),
            .. others.Select(other => new ComputeTypeTrial(other.Type, other.Differing, other.Speed)),
        ]);
}
