using System.Globalization;
using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Engine;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench.Quality;

/// <summary>What the compute types cost in quality: the bundled model on its held-out words, against their pronunciations.</summary>
internal sealed class QualityBenchmark : IBenchmark
{
    private static readonly string[] _computeTypes = ["float32", "float16", "int8"];

    public string Id => "quality";

    public string Title => "Quality of the compute types, the bundled model on held-out words, greedy";

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        int count = context.Scale.QualityWords;
        string model = await context.ModelAsync(BenchmarkFiles.BundledModel, cancellationToken);
        IReadOnlyList<(string Word, string[] Pronunciations)> words = context.Files.HeldOutWords(count);
        List<IReadOnlyList<string>> rows = [];
        string[]? first = null;
        foreach (string compute in _computeTypes)
        {
            string output = Path.GetTempFileName();
            EngineRunOptions options = new()
            {
                Model = model,
                Lines = context.Files.HeldOutLines(count),
                Compute = compute,
                Threads = Environment.ProcessorCount,
                Out = output,
            };
            await new Contestant { Engine = Contestant.Ours, Candidates = [] }.RunAsync(
                options,
                context.Peers,
                cancellationToken
            );
            string[] texts = await File.ReadAllLinesAsync(output, cancellationToken);
            File.Delete(output);
            first ??= texts;
            rows.Add(Row(compute, texts, first, words));
        }

        return new BenchmarkSection
        {
            Id = Id,
            Title = Title,
            Tables =
            [
                new ResultTable(
                    ["compute type", "words wrong", "phonemes wrong", "lines that differ from float32"],
                    rows
                )
                {
                    Caption = $"{words.Count} words.",
                },
            ],
        };
    }

    private static IReadOnlyList<string> Row(
        string compute,
        string[] texts,
        string[] first,
        IReadOnlyList<(string Word, string[] Pronunciations)> words
    )
    {
        int wrong = 0;
        int edits = 0;
        int phonemes = 0;
        foreach ((string text, (string _, string[] pronunciations)) in texts.Zip(words))
        {
            string[] found = text.Split(' ');
            (int least, int length) = pronunciations
                .Select(pronunciation => pronunciation.Split(' '))
                .Select(expected => (Edits: EditDistance.Of(found, expected), expected.Length))
                .Min();
            wrong += least > 0 ? 1 : 0;
            edits += least;
            phonemes += length;
        }

        int different = texts.Zip(first).Count(pair => pair.First != pair.Second);
        return
        [
            compute,
            string.Create(CultureInfo.InvariantCulture, $"{100.0 * wrong / words.Count:F2} %"),
            string.Create(CultureInfo.InvariantCulture, $"{100.0 * edits / phonemes:F2} %"),
            string.Create(CultureInfo.InvariantCulture, $"{different} ({100.0 * different / words.Count:F2} %)"),
        ];
    }
}
