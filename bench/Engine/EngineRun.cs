using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Seq2Seq.Inference;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Bench.Engine;

/// <summary>What one run of an engine, ours or a peer's, does: the same words as the peers' script has.</summary>
internal sealed record EngineRunOptions
{
    public required string Model { get; init; }

    /// <summary>A text file, one source a line.</summary>
    public required string Lines { get; init; }

    public string Compute { get; init; } = "float32";
    public int Beam { get; init; } = 1;

    /// <summary>Cores of each worker.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Models side by side, each with its share of the lines.</summary>
    public int Workers { get; init; } = 1;

    public int MaxNew { get; init; } = 64;
    public int MinNew { get; init; }

    /// <summary>Lines handed over at once; 1 is one line at a time, 0 is all.</summary>
    public int Batch { get; init; }

    public int Limit { get; init; } = int.MaxValue;

    /// <summary>Where the outputs go, or null.</summary>
    public string? Out { get; init; }
}

/// <summary>What a run took. Rates count target tokens, the end token included.</summary>
internal sealed record EngineRunResult
{
    [JsonPropertyName("peer")]
    public required string Peer { get; init; }

    [JsonPropertyName("lines")]
    public required int Lines { get; init; }

    [JsonPropertyName("target_tokens")]
    public required int TargetTokens { get; init; }

    [JsonPropertyName("load_s")]
    public required double LoadSeconds { get; init; }

    /// <summary>Generation alone, without loading and reading.</summary>
    [JsonPropertyName("seconds")]
    public required double Seconds { get; init; }

    /// <summary>Processor time of all threads in that time; null where the peer doesn't say.</summary>
    [JsonPropertyName("cpu_s")]
    public double? CpuSeconds { get; init; }

    [JsonPropertyName("peak_rss_mb")]
    public required long PeakMegabytes { get; init; }

    public double TokensPerSecond => TargetTokens / Seconds;
}

/// <summary>Our engine on a model and a file of lines, in this process.</summary>
internal static class EngineRun
{
    private const int LinesToWarmUp = 64;

    public static async Task<EngineRunResult> RunAsync(EngineRunOptions options, CancellationToken cancellationToken)
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
            };
            models.Add(SequenceModel.Load(load, cancellationToken));
        }

        double loadSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        GenerationParameters parameters = new()
        {
            NumBeams = options.Beam,
            MaxNewTokens = options.MaxNew,
            MinNewTokens = options.MinNew == 0 ? null : options.MinNew,
        };
        foreach (SequenceModel model in models)
        {
            await model.GenerateAsync([.. inputs.Take(LinesToWarmUp)], parameters, cancellationToken);
        }

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
            TargetTokens = all.Sum(result => result.Outputs.Count == 0 ? 0 : result.Outputs[0].TokenIds.Count),
            LoadSeconds = loadSeconds,
            Seconds = seconds,
            CpuSeconds = cpu.TotalSeconds,
            PeakMegabytes = PeakMegabytes(),
        };
    }

    public static string ToJson(EngineRunResult result) => JsonSerializer.Serialize(result);

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

    private static long PeakMegabytes()
    {
        string? line = File.ReadLines("/proc/self/status")
            .FirstOrDefault(text => text.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line[6..^2], System.Globalization.CultureInfo.InvariantCulture) / 1024;
    }
}
