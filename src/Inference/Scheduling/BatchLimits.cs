namespace Seq2Seq.Inference.Scheduling;

/// <summary>How much a lane of a running batch takes on at once.</summary>
internal sealed record BatchLimits
{
    /// <summary>Weights that stay in a processor's last cache between steps.</summary>
    private const long SmallModelParameters = 8_000_000;

    /// <summary>
    /// Rows of a decoder step. More make better use of each weight that is read; but their keys and values, read once a
    /// step, leave the caches.
    /// </summary>
    public int MaxRows { get; init; } = 128;

    /// <summary>Source tokens that are encoded together.</summary>
    public int MaxEncoderTokens { get; init; } = 1024;

    /// <summary>Lines of which the longest are taken first.</summary>
    public int WindowSize { get; init; } = 512;

    /// <summary>Limits for a model of this size.</summary>
    public static BatchLimits For(long parameters) =>
        parameters <= SmallModelParameters
            ? new BatchLimits { MaxRows = 48, MaxEncoderTokens = 512 }
            : new BatchLimits();
}
