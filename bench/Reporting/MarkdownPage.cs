using System.Globalization;
using System.Text;

namespace Seq2Seq.Bench.Reporting;

/// <summary>A report as a Markdown page: the ratios first, then each part with its medians, settings and spread.</summary>
internal static class MarkdownPage
{
    /// <param name="report">What was measured.</param>
    /// <param name="plots">Names of the plots' files, beside the page.</param>
    public static string Of(BenchmarkReport report, IReadOnlyList<string> plots)
    {
        StringBuilder page = new();
        page.AppendLine(CultureInfo.InvariantCulture, $"# {report.Machine}").AppendLine();
        page.AppendLine(
                "Written by `./benchmark`; [bench/README.md](../README.md) says what each row means. Medians of runs that alternate, "
                    + "each in a fresh process. A ratio is ours over the other's; in brackets the least and the most of the single rounds."
            )
            .AppendLine();
        page.AppendLine(
                report.Peers is null
                    ? "No peers were given (`--peers DIR`): their columns are empty."
                    : $"Peers: {report.Peers}."
            )
            .AppendLine();
        AppendRatios(page, report);
        foreach (string plot in plots)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"![{plot}]({plot})").AppendLine();
        }

        foreach (BenchmarkSection section in report.Sections)
        {
            AppendSection(page, section);
        }

        return page.ToString().TrimEnd() + "\n";
    }

    private static void AppendRatios(StringBuilder page, BenchmarkReport report)
    {
        List<IReadOnlyList<string>> rows =
        [
            .. ComparedRuns
                .Of(report)
                .Select(
                    IReadOnlyList<string> (compared) =>
                        [
                            compared.Section.Id,
                            compared.Ours.Name,
                            compared.Comparison.Against,
                            Ratio(compared),
                            Bound(compared, compared.Comparison.Bar),
                            Bound(compared, compared.Comparison.Aim),
                            compared.Noise ?? "quiet",
                        ]
                ),
        ];
        if (rows.Count > 0)
        {
            AppendTable(page, new ResultTable(["row", "ours", "against", "ratio", "bar", "aim", "machine"], rows));
        }
    }

    private static string Ratio(ComparedRuns compared) =>
        compared.Ratio is { } ratio
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"**{ratio:F2} ×** ({compared.Rounds[0]:F2}–{compared.Rounds[^1]:F2})"
            )
            : "";

    private static string Bound(ComparedRuns compared, double? bound)
    {
        if (bound is not { } limit)
        {
            return "";
        }

        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{(compared.Comparison.IsLessBetter ? "≤" : "≥")} {limit:0.##} ×"
        );
        return compared.Ratio is { } ratio && compared.Comparison.Reaches(ratio, limit) is { } reaches
            ? $"{text} {(reaches ? "reached" : "**missed**")}"
            : text;
    }

    private static void AppendSection(StringBuilder page, BenchmarkSection section)
    {
        page.AppendLine(CultureInfo.InvariantCulture, $"## {section.Title}").AppendLine();
        string commit = section.Commit is null ? "" : $", commit {section.Commit}";
        string peak =
            section.GemmPeak == 0 ? "" : $"; the machine's GEMM peak in this run {section.GemmPeak:F0} GFLOPS";
        string load =
            section.LoadBefore == 0
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $"; load average when it began {section.LoadBefore:F1}");
        page.AppendLine(
                CultureInfo.InvariantCulture,
                $"`./benchmark --rows {section.Id}`, {section.Measured:yyyy-MM-dd HH:mm} UTC{commit}{peak}{load}."
            )
            .AppendLine();
        if (section.Measurements.Count > 0)
        {
            AppendTable(
                page,
                new ResultTable(
                    ["", "settings", $"median, {section.Measurements[0].Unit}", "spread", "runs", "disturbed"],
                    [
                        .. section.Measurements.Select(
                            IReadOnlyList<string> (measurement) =>
                                [
                                    measurement.Name,
                                    measurement.Settings,
                                    Significant(measurement.Median),
                                    (100 * measurement.Spread).ToString("F1", CultureInfo.InvariantCulture) + " %",
                                    measurement.Values.Count.ToString(CultureInfo.InvariantCulture),
                                    measurement.NoisyRuns.ToString(CultureInfo.InvariantCulture),
                                ]
                        ),
                    ]
                )
            );
        }

        foreach (ResultTable table in section.Tables)
        {
            if (table.Caption is not null)
            {
                page.AppendLine(table.Caption).AppendLine();
            }

            AppendTable(page, table);
        }

        if (section.Notes.Count > 0)
        {
            AppendNotes(page, section);
        }
    }

    private static void AppendNotes(StringBuilder page, BenchmarkSection section)
    {
        if (section.IsVerbatim)
        {
            page.AppendLine("```");
        }

        foreach (string note in section.Notes)
        {
            page.AppendLine(section.IsVerbatim ? note : "- " + note);
        }

        if (section.IsVerbatim)
        {
            page.AppendLine("```");
        }

        page.AppendLine();
    }

    private static void AppendTable(StringBuilder page, ResultTable table)
    {
        page.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", table.Header)} |");
        page.AppendLine(CultureInfo.InvariantCulture, $"|{string.Concat(table.Header.Select(_ => "---|"))}");
        foreach (IReadOnlyList<string> row in table.Rows)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |");
        }

        page.AppendLine();
    }

    private static string Significant(double number) =>
        number.ToString(
            number >= 100 ? "F0"
                : number >= 10 ? "F1"
                : "F2",
            CultureInfo.InvariantCulture
        );
}
