namespace Seq2Seq.Bench.Reporting;

/// <summary>A comparison with its figures: the ratio of the medians, and how far the ratios of single rounds lie apart.</summary>
internal sealed record ComparedRuns
{
    private const double WideSpread = 0.1;

    public required BenchmarkSection Section { get; init; }
    public required Comparison Comparison { get; init; }
    public required Measurement Ours { get; init; }

    /// <summary>Null when no peers were there.</summary>
    public Measurement? Against { get; init; }

    /// <summary>Ours over theirs; null without theirs.</summary>
    public double? Ratio => Against is null ? null : Ours.Median / Against.Median;

    /// <summary>The ratios of the rounds, each of one run beside the other.</summary>
    public IReadOnlyList<double> Rounds =>
        Against is null ? [] : [.. Ours.Values.Zip(Against.Values).Select(pair => pair.First / pair.Second).Order()];

    /// <summary>Why the figure is not to be trusted; null when it is.</summary>
    public string? Noise
    {
        get
        {
            int runs = Ours.Values.Count + (Against?.Values.Count ?? 0);
            int noisy = Ours.NoisyRuns + (Against?.NoisyRuns ?? 0);
            double spread = Math.Max(Ours.Spread, Against?.Spread ?? 0);
            return 2 * noisy > runs ? $"{noisy} of {runs} runs disturbed"
                : spread > WideSpread ? FormattableString.Invariant($"spread {100 * spread:F0} %")
                : null;
        }
    }

    /// <summary>All comparisons of a report whose own side was measured.</summary>
    public static IEnumerable<ComparedRuns> Of(BenchmarkReport report) =>
        from section in report.Sections
        from comparison in section.Comparisons
        let ours = section.Measurements.FirstOrDefault(one => one.Name == comparison.Ours)
        where ours is not null
        select new ComparedRuns
        {
            Section = section,
            Comparison = comparison,
            Ours = ours,
            Against = section.Measurements.FirstOrDefault(one => one.Name == comparison.Against),
        };
}
