using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Engine;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench.Service;

/// <summary>
/// A file through the whole service, over HTTP with PostgreSQL behind it, beside the bare engine on the same file: from the
/// first byte sent to the last result received. One small job goes before, so that the service is warm as the engine is.
/// </summary>
internal sealed class ServiceBenchmark : IBenchmark
{
    private const string Engine = "bare engine";
    private const string Http = "over HTTP";

    public string Id => "http";

    public string Title => "End to end over HTTP, the bundled model";

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        string lines = context.Files.Words(context.Scale.ServiceLines);
        string model = await context.ModelAsync(BenchmarkFiles.BundledModel, cancellationToken);
        // The service has a slot of all cores by default; the engine gets its best, as searched for the words.
        Contestant contestant = new() { Engine = Contestant.Ours, Candidates = [] };
        EngineSettings settings =
            context.Settings.Find($"words-greedy: {contestant.Name}") ?? EngineSettings.AllCores(batch: 0)[^1];
        EngineRunOptions options = new()
        {
            Model = model,
            Lines = lines,
            Workers = settings.Workers,
            Threads = settings.Threads,
            MaxNew = 96,
        };
        await using ServiceRun service = await ServiceRun.StartAsync(new ServiceRunOptions(), cancellationToken);
        int warmUps = Math.Max(1, context.Scale.ServiceLines / 50);
        await service.RunAsync(context.Files.Words(warmUps), BenchmarkFiles.BundledModel, cancellationToken);
        List<(double Rate, Noise Noise)>[] runs = await AlternatingRuns.RunAsync(
            2,
            context.Rounds,
            context.Budget,
            i =>
                context.Noise.WatchAsync(
                    async () =>
                        i == 0
                            ? context.Scale.ServiceLines
                                / await service.RunAsync(lines, BenchmarkFiles.BundledModel, cancellationToken)
                            : (await contestant.RunAsync(options, context.Peers, cancellationToken)).LinesPerSecond,
                    // The service and its database are no children that were waited for.
                    isChild: i == 1
                )
        );
        return new BenchmarkSection
        {
            Id = Id,
            Title = $"{Title}: {context.Scale.ServiceLines} words",
            Measurements = [Of(Http, "the service's defaults", runs[0]), Of(Engine, settings.ToString(), runs[1])],
            Comparisons =
            [
                new Comparison
                {
                    Ours = Http,
                    Against = Engine,
                    Bar = 0.9,
                    Aim = 0.95,
                },
            ],
        };
    }

    private static Measurement Of(string name, string settings, List<(double Rate, Noise Noise)> runs) =>
        new()
        {
            Name = name,
            Settings = settings,
            Unit = "lines/s",
            Values = [.. runs.Select(run => run.Rate)],
            NoisyRuns = runs.Count(run => run.Noise.IsNoisy),
        };
}
