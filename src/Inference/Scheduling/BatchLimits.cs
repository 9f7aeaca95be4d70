namespace Seq2Seq.Inference.Scheduling;

/// <summary>How much a running batch takes on at once.</summary>
internal sealed record BatchLimits
{
    /// <summary>Rows of a decoder step. More make better use of each weight that is read, until activations leave the cache.</summary>
    public int MaxRows { get; init; } = 128;

    /// <summary>Source tokens that are encoded together.</summary>
    public int MaxEncoderTokens { get; init; } = 1024;

    /// <summary>Lines of which the longest are taken first.</summary>
    public int WindowSize { get; init; } = 512;
}
