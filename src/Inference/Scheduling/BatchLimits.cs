namespace Seq2Seq.Inference.Scheduling;

/// <summary>How much a lane of a running batch takes on at once.</summary>
internal sealed record BatchLimits
{
    /// <summary>Weights that stay in a processor's last cache between steps.</summary>
    private const long SmallModelParameters = 8_000_000;

    /// <summary>Of tiny models nothing fills more.</summary>
    private const int MaxReservedTokens = 1 << 20;

    /// <summary>
    /// Rows of a decoder step. More make better use of each weight that is read; but their keys and values, read once a
    /// step, leave the caches.
    /// </summary>
    public int MaxRows { get; init; } = 128;

    /// <summary>Source tokens that are encoded together.</summary>
    public int MaxEncoderTokens { get; init; } = 1024;

    /// <summary>
    /// Bytes of keys and values that a lane holds, of targets and sources together. Lines are admitted up to three quarters
    /// of it; when those grow beyond the whole, the last admitted wait again. One line alone may have more.
    /// </summary>
    public long MaxCacheBytes { get; init; } = 1L << 30;

    /// <summary>Lines of which the longest are taken first.</summary>
    public int WindowSize { get; init; } = 512;

    /// <summary>Limits for a model of this size in this process.</summary>
    public static BatchLimits For(long parameters)
    {
        // Of what a container or the machine allows, a quarter for the lanes of all cores; weights and all else have the rest.
        long share = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 / Environment.ProcessorCount;
        BatchLimits limits = new() { MaxCacheBytes = Math.Min(share, new BatchLimits().MaxCacheBytes) };
        return parameters <= SmallModelParameters ? limits with { MaxRows = 48, MaxEncoderTokens = 512 } : limits;
    }

    /// <summary>Most tokens that a cache with so many bytes for each has to hold.</summary>
    public int MaxCacheTokens(long bytesPerToken) => (int)Math.Min(MaxCacheBytes / bytesPerToken, MaxReservedTokens);
}
