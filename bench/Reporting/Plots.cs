using System.Globalization;
using ScottPlot;
using Seq2Seq.Bench.Profile;

namespace Seq2Seq.Bench.Reporting;

/// <summary>The report's plots: the ratios with their bars and aims, and the profile of a step.</summary>
internal static class Plots
{
    private const int Width = 1000;

    /// <summary>Before a ratio's label, and with the label itself: in powers of two.</summary>
    private const double LabelGap = 0.1;
    private const double LabelSpace = 0.5;

    /// <returns>Names of the files that were written into the folder.</returns>
    public static IReadOnlyList<string> Write(BenchmarkReport report, string folder, string name)
    {
        List<string> files = [];
        ComparedRuns[] compared = [.. ComparedRuns.Of(report).Where(one => one.Ratio is not null)];
        if (compared.Length > 0)
        {
            files.Add(name + "-ratios.png");
            Ratios(compared).SavePng(Path.Combine(folder, files[^1]), Width, 160 + (40 * compared.Length));
        }

        if (report.Sections.FirstOrDefault(section => section.Id == "profile")?.Tables is [{ Rows.Count: > 0 } table])
        {
            files.Add(name + "-profile.png");
            Profile(table).SavePng(Path.Combine(folder, files[^1]), Width, 200 + (40 * table.Rows.Count));
        }

        return files;
    }

    /// <summary>On a logarithmic scale, from 1: twice and half as much are bars of the same length.</summary>
    private static Plot Ratios(ComparedRuns[] compared)
    {
        Plot plot = new();
        // The first row stands on top.
        string[] labels = [.. compared.Select(one => $"{one.Section.Id}: {one.Ours.Name} / {one.Comparison.Against}")];
        int leftmost = -1;
        int rightmost = 1;
        for (int i = 0; i < compared.Length; i++)
        {
            double place = compared.Length - i;
            ComparedRuns one = compared[i];
            double ratio = one.Ratio!.Value;
            bool isMissed = one.Comparison.Reaches(ratio, one.Comparison.Bar) == false;
            plot.Add.Bar(
                new Bar
                {
                    Position = place,
                    Value = Math.Log2(ratio),
                    Orientation = Orientation.Horizontal,
                    FillColor = isMissed ? Colors.IndianRed : Colors.SteelBlue,
                }
            );
            Mark(one.Comparison.Bar, place, Colors.Black);
            Mark(one.Comparison.Aim, place, Colors.Green);
            double[] ends = [1, ratio, one.Comparison.Bar ?? 1, one.Comparison.Aim ?? 1];
            var label = plot.Add.Text(
                ratio.ToString("F2", CultureInfo.InvariantCulture),
                Math.Log2(ends.Max()) + LabelGap,
                place
            );
            label.LabelAlignment = Alignment.MiddleLeft;
            leftmost = Math.Min(leftmost, (int)Math.Floor(Math.Log2(ends.Min())));
            rightmost = Math.Max(rightmost, (int)Math.Ceiling(Math.Log2(ends.Max()) + LabelSpace));
        }

        plot.Title("Ours over the other's (black: bar, green: aim)");
        plot.Axes.Left.SetTicks([.. compared.Select((_, i) => (double)(compared.Length - i))], labels);
        int[] ticks = [.. Enumerable.Range(leftmost, rightmost - leftmost + 1)];
        plot.Axes.Bottom.SetTicks(
            [.. ticks.Select(tick => (double)tick)],
            [.. ticks.Select(tick => Math.Pow(2, tick).ToString(CultureInfo.InvariantCulture))]
        );
        plot.Axes.SetLimits(leftmost, rightmost, 0, compared.Length + 1);
        return plot;

        void Mark(double? value, double place, Color color)
        {
            if (value is { } ratio)
            {
                double x = Math.Log2(ratio);
                var line = plot.Add.Line(x, place - 0.4, x, place + 0.4);
                line.Color = color;
                line.LineWidth = 3;
            }
        }
    }

    private static Plot Profile(ResultTable table)
    {
        Plot plot = new();
        int kinds = ProfileBenchmark.Header.Length - 2;
        Color[] colors = [.. new ScottPlot.Palettes.Category10().GetColors(kinds)];
        for (int i = 0; i < table.Rows.Count; i++)
        {
            double start = 0;
            for (int kind = 0; kind < kinds; kind++)
            {
                double share = double.Parse(table.Rows[i][kind + 1].TrimEnd(' ', '%'), CultureInfo.InvariantCulture);
                plot.Add.Bar(
                    new Bar
                    {
                        Position = table.Rows.Count - i,
                        ValueBase = start,
                        Value = start + share,
                        Orientation = Orientation.Horizontal,
                        FillColor = colors[kind],
                    }
                );
                start += share;
            }
        }

        for (int kind = 0; kind < kinds; kind++)
        {
            plot.Legend.ManualItems.Add(
                new LegendItem { LabelText = ProfileBenchmark.Header[kind + 1], FillColor = colors[kind] }
            );
        }

        plot.ShowLegend(Edge.Bottom);
        plot.Title("Where the time of a step goes, %");
        plot.Axes.Left.SetTicks(
            [.. table.Rows.Select((_, i) => (double)(table.Rows.Count - i))],
            [.. table.Rows.Select(row => row[0])]
        );
        plot.Axes.Margins(left: 0);
        return plot;
    }
}
