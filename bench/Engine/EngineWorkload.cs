using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench.Engine;

/// <summary>What is compared of two runs.</summary>
internal enum Metric
{
    LinesPerSecond,
    PeakMegabytes,
    LoadSeconds,
}

/// <summary>Lines for a model, who competes on them, and what is held against what.</summary>
internal sealed record EngineWorkload
{
    public required string Id { get; init; }
    public required string Title { get; init; }

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The file of lines.</summary>
    public required Func<BenchmarkFiles, string> Lines { get; init; }

    public int Limit { get; init; } = int.MaxValue;
    public int Beam { get; init; } = 1;
    public int MaxNew { get; init; } = 64;
    public int MinNew { get; init; }
    public Metric Metric { get; init; } = Metric.LinesPerSecond;
    public required IReadOnlyList<Contestant> Contestants { get; init; }
    public required IReadOnlyList<Comparison> Comparisons { get; init; }

    /// <summary>A generation parameter that the engine must know; null for none.</summary>
    public string? Requires { get; init; }

    /// <summary>Whether the outputs mean something, so that texts are compared.</summary>
    public bool HasRealOutputs { get; init; }

    /// <summary>Counts the multiplications of a run, for its share of the machine's GEMM peak; null where it makes no sense.</summary>
    public Func<BenchmarkFiles, string, double>? Operations { get; init; }

    /// <summary>The same with less to do, for the search for the best settings.</summary>
    public required Func<EngineRunOptions, EngineRunOptions> Shorten { get; init; }
}
