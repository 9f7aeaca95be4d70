using System.Globalization;

namespace Seq2Seq.EndToEnd.Tests.Chaos;

/// <summary>What was done and what it cost: one row for each kind of fault.</summary>
internal sealed class ChaosReport
{
    private readonly List<Row> _rows = [];

    public IReadOnlyList<Row> Rows => _rows;

    public void Add(Row row) => _rows.Add(row);

    /// <summary>A Markdown table.</summary>
    public IEnumerable<string> ToLines(IEnumerable<string> order)
    {
        yield return "| fault | times | back at work after, median s | most s | lines computed again |";
        yield return "|---|---|---|---|---|";
        foreach (string name in order)
        {
            List<Row> rows = [.. _rows.Where(row => row.Fault == name)];
            double[] seconds =
            [
                .. rows.Where(row => row.Seconds is not null).Select(row => row.Seconds!.Value).Order(),
            ];
            string median = seconds.Length == 0 ? "–" : Number(seconds[seconds.Length / 2]);
            string most = seconds.Length == 0 ? "–" : Number(seconds[^1]);
            yield return $"| {name} | {rows.Count} | {median} | {most} | {rows.Sum(row => row.Recomputed)} |";
        }
    }

    private static string Number(double seconds) => seconds.ToString("F1", CultureInfo.InvariantCulture);

    /// <param name="Fault">What was done.</param>
    /// <param name="Seconds">How long work stood still; null when it did not.</param>
    /// <param name="Recomputed">Lines that were leased once more because of it.</param>
    internal sealed record Row(string Fault, double? Seconds, long Recomputed)
    {
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{Fault, -34} {Seconds, 6:F1} s  {Recomputed, 5} lines again");
    }
}
