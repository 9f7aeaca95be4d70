namespace Seq2Seq.Bench.Service;

/// <summary>How a <see cref="ServiceRun"/> differs from one that is all in one process, with the bundled model.</summary>
internal sealed record ServiceRunOptions
{
    public const string Worker = "worker";

    /// <summary>A configuration file; null for the one beside the program.</summary>
    public string? Configuration { get; init; }

    /// <summary>all, api or worker.</summary>
    public string Role { get; init; } = "all";

    /// <summary>Environment variables over the configuration, such as <c>Jobs__ShardLines</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>A command that becomes the service's, such as <c>ip netns exec NAME</c>.</summary>
    public IReadOnlyList<string> Launcher { get; init; } = [];
}
