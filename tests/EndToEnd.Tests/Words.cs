namespace Seq2Seq.EndToEnd.Tests;

/// <summary>The held-out words of the bundled model, as lines of a job.</summary>
internal static class Words
{
    public static IReadOnlyList<string> Lines(int count) =>
        [
            .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "test.tsv"))
                .Select(line => "phonemize: " + line.Split('\t')[0])
                .Take(count),
        ];
}
