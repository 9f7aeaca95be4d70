using System.Diagnostics;
using System.Text.Json;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Inference;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Bench.Engine;

/// <summary>Our engine on a model and a file of lines, in this process.</summary>
internal static class EngineRun
{
    private const int LinesToWarmUp = 64;
    private const int OneLineWarmUps = 4;

    /// <param name="options">What to run.</param>
    /// <param name="watch">Starts what watches the generation, and lasts as long; null for nothing.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public static async Task<EngineRunResult> RunAsync(
        EngineRunOptions options,
        Func<IAsyncDisposable>? watch,
        CancellationToken cancellationToken
    )
    {
        string[] texts = await File.ReadAllLinesAsync(options.Lines, cancellationToken);
        SequenceInput[] inputs = [.. texts.Take(options.Limit).Select(SequenceInput.FromText)];
        long started = Stopwatch.GetTimestamp();
        List<SequenceModel> models = [];
        for (int worker = 0; worker < options.Workers; worker++)
        {
            ModelLoadOptions load = new()
            {
                Name = $"bench {worker}",
                Folder = options.Model,
                ComputeType = options.Compute,
                Threads = options.Threads,
                Savings = options.Savings,
            };
            models.Add(SequenceModel.Load(load, cancellationToken));
        }

        double loadSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        GenerationParameters parameters = Parameters(options) with
        {
            NumBeams = options.Beam,
            MaxNewTokens = options.MaxNew,
            MinNewTokens = options.MinNew == 0 ? null : options.MinNew,
        };
        int warmUps = options.Batch == 1 ? OneLineWarmUps : LinesToWarmUp;
        foreach (SequenceModel model in models)
        {
            await model.GenerateAsync([.. inputs.Take(warmUps)], parameters, cancellationToken);
        }

        await using IAsyncDisposable? watching = watch?.Invoke();
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        started = Stopwatch.GetTimestamp();
        SequenceResult[][] results = await Task.WhenAll(
            models.Select(
                (model, i) =>
                    GenerateAsync(model, Share(inputs, i, models.Count), options, parameters, cancellationToken)
            )
        );
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        if (watching is not null)
        {
            await watching.DisposeAsync();
        }

        foreach (SequenceModel model in models)
        {
            await model.DisposeAsync();
        }

        SequenceResult[] all =
        [
            .. Enumerable.Range(0, inputs.Length).Select(i => results[i % models.Count][i / models.Count]),
        ];
        if (options.Out is not null)
        {
            await File.WriteAllLinesAsync(
                options.Out,
                all.Select(result =>
                    result.Outputs.Count == 0 ? "" : (result.Outputs[0].Text ?? "").ReplaceLineEndings(" ")
                ),
                cancellationToken
            );
        }

        return new EngineRunResult
        {
            Peer = "ours",
            Lines = inputs.Length,
            TargetTokens = all.Sum(result => result.Outputs.Count == 0 ? 0L : result.Outputs[0].TokenIds.Count),
            LoadSeconds = loadSeconds,
            Seconds = seconds,
            CpuSeconds = cpu.TotalSeconds,
            PeakMegabytes = PeakMemory.Megabytes(),
        };
    }

    private static GenerationParameters Parameters(EngineRunOptions options)
    {
        if (options.Parameters is null)
        {
            return GenerationParameters.Default;
        }

        using JsonDocument document = JsonDocument.Parse(options.Parameters);
        return GenerationParametersJson.Read(document.RootElement);
    }

    private static async Task<SequenceResult[]> GenerateAsync(
        SequenceModel model,
        SequenceInput[] inputs,
        EngineRunOptions options,
        GenerationParameters parameters,
        CancellationToken cancellationToken
    )
    {
        List<SequenceResult> results = [];
        foreach (SequenceInput[] chunk in inputs.Chunk(options.Batch == 0 ? Math.Max(1, inputs.Length) : options.Batch))
        {
            results.AddRange(await model.GenerateAsync(chunk, parameters, cancellationToken));
        }

        return [.. results];
    }

    private static SequenceInput[] Share(SequenceInput[] inputs, int worker, int workers) =>
        [.. inputs.Where((_, i) => i % workers == worker)];
}
