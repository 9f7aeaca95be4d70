using System.Text.Json;

namespace Seq2Seq.Bench.Reporting;

/// <summary>
/// Everything that was measured on a machine. It is kept as JSON beside the page, so that a run of some rows leaves the
/// others as they were, each with its own date.
/// </summary>
internal sealed record BenchmarkReport
{
    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true };

    public required string Machine { get; init; }

    /// <summary>Versions of the peers; null when there were none.</summary>
    public string? Peers { get; init; }

    public IReadOnlyList<BenchmarkSection> Sections { get; init; } = [];

    /// <returns>The report of an earlier run; null when there is none.</returns>
    public static BenchmarkReport? Read(string file) =>
        File.Exists(file) ? JsonSerializer.Deserialize<BenchmarkReport>(File.ReadAllText(file), _json) : null;

    /// <summary>The same with a section in the place of its former self, or behind the others.</summary>
    public BenchmarkReport With(BenchmarkSection section) =>
        this with
        {
            Sections = Sections.Any(former => former.Id == section.Id)
                ? [.. Sections.Select(former => former.Id == section.Id ? section : former)]
                : [.. Sections, section],
        };

    /// <summary>Writes the page, its data and its plots: NAME.md, NAME.json, NAME-ratios.png and NAME-profile.png.</summary>
    public void Write(string folder, string name)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name + ".json"), JsonSerializer.Serialize(this, _json) + "\n");
        IReadOnlyList<string> plots = Plots.Write(this, folder, name);
        File.WriteAllText(Path.Combine(folder, name + ".md"), MarkdownPage.Of(this, plots));
    }
}
