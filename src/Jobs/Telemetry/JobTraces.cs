using System.Diagnostics;

namespace Seq2Seq.Jobs.Telemetry;

/// <summary>
/// The spans of a job, from its submit over each run of a shard to that run's steps. They carry ids and counts, never customers'
/// text. Without anybody who listens they cost nothing.
/// </summary>
public static class JobTraces
{
    /// <summary>The name to listen to.</summary>
    public const string SourceName = "Seq2Seq.Jobs";

    private static readonly ActivitySource _source = new(SourceName);

    /// <summary>One submit, until the job is durable.</summary>
    internal static Activity? Submit(string model)
    {
        var span = _source.StartActivity("submit job", ActivityKind.Producer);
        span?.SetTag("seq2seq.model", model);
        return span;
    }

    /// <summary>One run of a shard, as a part of the trace that submitted its job.</summary>
    /// <param name="traceParent">The job's trace context; null when it has none.</param>
    internal static Activity? Run(string? traceParent)
    {
        _ = ActivityContext.TryParse(traceParent, traceState: null, isRemote: true, out var parent);
        return _source.StartActivity("run shard", ActivityKind.Consumer, parent);
    }

    /// <summary>A step of what is under way: <c>generate</c>, <c>write results</c>.</summary>
    internal static Activity? Step(string name) => _source.StartActivity(name);
}
