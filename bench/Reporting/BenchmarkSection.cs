using System.Text.Json.Serialization;
using Seq2Seq.Bench.Measuring;

namespace Seq2Seq.Bench.Reporting;

/// <summary>What one benchmark has found: everything that the page, the plots and the next run need of it.</summary>
internal sealed record BenchmarkSection
{
    /// <summary>What <c>--rows</c> calls it.</summary>
    public required string Id { get; init; }

    public required string Title { get; init; }

    /// <summary>When, in UTC.</summary>
    public DateTimeOffset Measured { get; init; }

    /// <summary>The source tree's state; null without git.</summary>
    public string? Commit { get; init; }

    /// <summary>The machine's matrix product in the same run of <c>./benchmark</c>, GFLOPS of all cores.</summary>
    public double GemmPeak { get; init; }

    /// <summary>Processes that wanted to run, on average over the minute before it began; 0 where it was not noted.</summary>
    public double LoadBefore { get; init; }

    public IReadOnlyList<Measurement> Measurements { get; init; } = [];
    public IReadOnlyList<Comparison> Comparisons { get; init; } = [];
    public IReadOnlyList<ResultTable> Tables { get; init; } = [];
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whether the notes are lines of fixed columns.</summary>
    public bool IsVerbatim { get; init; }
}

/// <summary>One thing that was measured several times.</summary>
internal sealed record Measurement
{
    /// <summary>Unique in its section, such as <c>ours int8</c>.</summary>
    public required string Name { get; init; }

    /// <summary>With what settings: threads, workers, batch.</summary>
    public string Settings { get; init; } = "";

    public required string Unit { get; init; }

    /// <summary>In the order of the runs.</summary>
    public required IReadOnlyList<double> Values { get; init; }

    /// <summary>Runs beside which the machine was busy or slow.</summary>
    public int NoisyRuns { get; init; }

    [JsonIgnore]
    public double Median => Sample.Of(Values).Median;

    [JsonIgnore]
    public double Spread => Sample.Of(Values).Spread;
}

/// <summary>Two measurements of a section, held against each other.</summary>
internal sealed record Comparison
{
    public required string Ours { get; init; }
    public required string Against { get; init; }

    /// <summary>The ratio that must be reached; null for none.</summary>
    public double? Bar { get; init; }

    /// <summary>The ratio that is hoped for; null for none.</summary>
    public double? Aim { get; init; }

    /// <summary>Whether the bar is a most: of memory, less is better.</summary>
    public bool IsLessBetter { get; init; }

    public bool? Reaches(double ratio, double? bar) =>
        bar is null ? null
        : IsLessBetter ? ratio <= bar
        : ratio >= bar;
}

/// <summary>A table as it stands on the page.</summary>
internal sealed record ResultTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    public string? Caption { get; init; }
}
