using System.Diagnostics.Metrics;

namespace Seq2Seq.Jobs.Telemetry;

/// <summary>
/// What this process measures of its own work. How many jobs and shards there are is read from the tables instead
/// (<see cref="TableMetrics"/>): those are true for all processes. Labels are models and outcomes, which are few.
/// </summary>
public static class JobMetrics
{
    /// <summary>The name to listen to.</summary>
    public const string MeterName = "Seq2Seq.Jobs";

    private static readonly Meter _meter = new(MeterName);

    private static readonly Histogram<double> _shardDuration = _meter.CreateHistogram(
        "seq2seq.shard.duration",
        "s",
        "Time from a shard's lease to its end on this worker.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
        }
    );

    private static readonly Counter<long> _lines = _meter.CreateCounter<long>(
        "seq2seq.lines",
        "{line}",
        "Lines whose results this worker has written."
    );

    /// <param name="model">The model that was asked for.</param>
    /// <param name="outcome"><c>done</c>, <c>refused</c> (the lease was gone), <c>stopped</c> or <c>failed</c>.</param>
    /// <param name="time">Since the lease was taken.</param>
    internal static void ShardEnded(string model, string outcome, TimeSpan time) =>
        _shardDuration.Record(
            time.TotalSeconds,
            new KeyValuePair<string, object?>("model", model),
            new KeyValuePair<string, object?>("outcome", outcome)
        );

    internal static void LinesWritten(string model, int lines, int failed)
    {
        var of = new KeyValuePair<string, object?>("model", model);
        _lines.Add(lines - failed, of, new KeyValuePair<string, object?>("outcome", "output"));
        _lines.Add(failed, of, new KeyValuePair<string, object?>("outcome", "error"));
    }
}
