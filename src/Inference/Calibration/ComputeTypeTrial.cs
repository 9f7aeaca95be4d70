using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Calibration;

/// <summary>What came of decoding the sample in one compute type.</summary>
/// <param name="ComputeType">The type.</param>
/// <param name="DifferingLines">Lines whose tokens are others than float32's.</param>
/// <param name="TokensPerSecond">Speed of the faster of two runs; 0 where tokens differ, since it is of no account.</param>
internal sealed record ComputeTypeTrial(ComputeType ComputeType, int DifferingLines, double TokensPerSecond)
{
    /// <summary>A type must be so much faster than float32 to take its place: less may be chance.</summary>
    private const double LeastGain = 1.1;

    /// <summary>The fastest type that gives float32's tokens.</summary>
    /// <param name="trials">float32 first.</param>
    public static ComputeType Best(IReadOnlyList<ComputeTypeTrial> trials) =>
        trials
            .Skip(1)
            .Where(trial => trial.DifferingLines == 0 && trial.TokensPerSecond >= LeastGain * trials[0].TokensPerSecond)
            .MaxBy(trial => trial.TokensPerSecond)
            ?.ComputeType
        ?? trials[0].ComputeType;

    public override string ToString() =>
        DifferingLines > 0
            ? FormattableString.Invariant($"{ComputeType.ToName()} gives other tokens in {DifferingLines}")
            : FormattableString.Invariant($"{ComputeType.ToName()} {TokensPerSecond:F0} tokens/s");
}
