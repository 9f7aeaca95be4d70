using System.Globalization;
using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Bench.Engine;

/// <summary>
/// Engines on one workload: each contestant's best settings are searched once, as its users would tune it; then they run in
/// turns, every run in a fresh process.
/// </summary>
internal sealed class EngineBenchmark(EngineWorkload workload) : IBenchmark
{
    public string Id => workload.Id;

    public string Title => workload.Title;

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        if (
            workload.Requires is { } parameter
            && !GenerationParametersJson.Names.Contains(parameter, StringComparer.Ordinal)
        )
        {
            throw new UnavailableException($"This engine has no option '{parameter}'.");
        }

        Contestant[] contestants =
        [
            .. workload.Contestants.Where(one => one.Engine == Contestant.Ours || context.Peers is not null),
        ];
        string model = await context.ModelAsync(workload.Model, cancellationToken);
        await ConvertAsync(model, contestants, context, cancellationToken);
        DirectoryInfo outputs = Directory.CreateTempSubdirectory("seq2seq-bench-");
        try
        {
            List<EngineRunOptions> options = [];
            foreach (Contestant contestant in contestants)
            {
                EngineRunOptions unsettled = Options(contestant, model, context);
                EngineSettings settings = await SettleAsync(contestant, unsettled, context, cancellationToken);
                options.Add(With(unsettled, settings) with { Out = Output(outputs, contestant) });
            }

            List<(EngineRunResult Result, Noise Noise)>[] runs = await AlternatingRuns.RunAsync(
                contestants.Length,
                context.Rounds,
                context.Budget,
                i =>
                    context.Noise.WatchAsync(
                        () => contestants[i].RunAsync(options[i], context.Peers, cancellationToken),
                        isChild: true
                    )
            );
            return Report(contestants, options, runs, model, outputs, context);
        }
        finally
        {
            outputs.Delete(recursive: true);
        }
    }

    private BenchmarkSection Report(
        Contestant[] contestants,
        List<EngineRunOptions> options,
        List<(EngineRunResult Result, Noise Noise)>[] runs,
        string model,
        DirectoryInfo outputs,
        BenchmarkContext context
    )
    {
        Measurement[] measurements =
        [
            .. contestants.Select(
                (contestant, i) =>
                    new Measurement
                    {
                        Name = contestant.Name,
                        Settings = Settings(options[i]).ToString(),
                        Unit = workload.Metric switch
                        {
                            Metric.PeakMegabytes => "MiB",
                            Metric.LoadSeconds => "s",
                            _ => "lines/s",
                        },
                        Values =
                        [
                            .. runs[i]
                                .Select(run =>
                                    workload.Metric switch
                                    {
                                        Metric.PeakMegabytes => run.Result.PeakMegabytes,
                                        Metric.LoadSeconds => run.Result.LoadSeconds,
                                        _ => run.Result.LinesPerSecond,
                                    }
                                ),
                        ],
                        NoisyRuns = runs[i].Count(run => run.Noise.IsNoisy),
                    }
            ),
        ];
        return new BenchmarkSection
        {
            Id = Id,
            Title = Title,
            Measurements = measurements,
            Comparisons = workload.Comparisons,
            Tables = workload.Metric == Metric.LinesPerSecond ? [Details(contestants, runs, model, context)] : [],
            Notes = workload.HasRealOutputs ? [.. EqualTexts(contestants, outputs)] : [],
        };
    }

    private ResultTable Details(
        Contestant[] contestants,
        List<(EngineRunResult Result, Noise Noise)>[] runs,
        string model,
        BenchmarkContext context
    )
    {
        double? operations = workload.Operations?.Invoke(context.Files, model);
        return new ResultTable(
            ["", "seconds", "tokens/s", "GFLOPS", "load, s", "peak, MiB"],
            [
                .. contestants.Select(
                    IReadOnlyList<string> (contestant, i) =>
                        [
                            contestant.Name,
                            Number(run => run.Seconds, i, "F2"),
                            Number(run => run.TargetTokens / run.Seconds, i, "F0"),
                            operations is { } all && contestant.Limit == int.MaxValue
                                ? Number(run => all / run.Seconds / 1e9, i, "F0")
                                : "",
                            Number(run => run.LoadSeconds, i, "F2"),
                            Number(run => run.PeakMegabytes, i, "F0"),
                        ]
                ),
            ]
        );

        string Number(Func<EngineRunResult, double> value, int contestant, string format) =>
            Sample
                .Of(runs[contestant].Select(run => value(run.Result)))
                .Median.ToString(format, CultureInfo.InvariantCulture);
    }

    private static IEnumerable<string> EqualTexts(Contestant[] contestants, DirectoryInfo outputs)
    {
        if (!File.Exists(Output(outputs, contestants[0])))
        {
            yield break;
        }

        string[] ours = File.ReadAllLines(Output(outputs, contestants[0]));
        foreach (Contestant other in contestants.Skip(1))
        {
            string file = Output(outputs, other);
            if (File.Exists(file))
            {
                string[] theirs = File.ReadAllLines(file);
                int equal = theirs.Zip(ours).Count(pair => pair.First == pair.Second);
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"Texts of {other.Name} equal to {contestants[0].Name}'s: {equal} of {theirs.Length}."
                );
            }
        }
    }

    private static string Output(DirectoryInfo folder, Contestant contestant) =>
        Path.Combine(folder.FullName, contestant.Name + ".txt");

    private EngineRunOptions Options(Contestant contestant, string model, BenchmarkContext context)
    {
        string lines = workload.Lines(context.Files);
        return new EngineRunOptions
        {
            Model = model,
            Lines = contestant.Engine == Contestant.CTranslate2Alone ? context.Files.Pieces(lines) : lines,
            Compute = contestant.Compute,
            Beam = workload.Beam,
            MaxNew = workload.MaxNew,
            MinNew = workload.MinNew,
            Limit = Math.Min(workload.Limit, contestant.Limit),
            Parameters = contestant.Parameters,
        };
    }

    private async Task<EngineSettings> SettleAsync(
        Contestant contestant,
        EngineRunOptions options,
        BenchmarkContext context,
        CancellationToken cancellationToken
    )
    {
        if (contestant.Candidates.Count == 1)
        {
            return contestant.Candidates[0];
        }

        string key = $"{Id}: {contestant.Name}";
        if (!context.SearchesAgain && context.Settings.Find(key) is { } known)
        {
            return known;
        }

        EngineSettings? best = null;
        double least = double.PositiveInfinity;
        foreach (EngineSettings candidate in contestant.Candidates)
        {
            context.Progress($"{key}: trying {candidate}");
            EngineRunResult result = await contestant.RunAsync(
                workload.Shorten(With(options, candidate)),
                context.Peers,
                cancellationToken
            );
            if (result.Seconds < least)
            {
                (least, best) = (result.Seconds, candidate);
            }
        }

        context.Settings.Keep(key, best!);
        return best!;
    }

    /// <summary>CTranslate2 converts a model at its first use: not while something is measured.</summary>
    private async Task ConvertAsync(
        string model,
        Contestant[] contestants,
        BenchmarkContext context,
        CancellationToken cancellationToken
    )
    {
        if (
            !Directory.Exists(model + ".ct2")
            && contestants.Any(one => one.Engine.StartsWith(Contestant.CTranslate2, StringComparison.Ordinal))
        )
        {
            Contestant converter = new() { Engine = Contestant.CTranslate2, Candidates = [] };
            EngineRunOptions options = Options(converter, model, context) with
            {
                Limit = 1,
                Batch = 1,
                MaxNew = 1,
                MinNew = 0,
            };
            await converter.RunAsync(options, context.Peers, cancellationToken);
        }
    }

    private static EngineRunOptions With(EngineRunOptions options, EngineSettings settings) =>
        options with
        {
            Workers = settings.Workers,
            Threads = settings.Threads,
            Batch = settings.Batch,
        };

    private static EngineSettings Settings(EngineRunOptions options) =>
        new(options.Workers, options.Threads, options.Batch);
}
