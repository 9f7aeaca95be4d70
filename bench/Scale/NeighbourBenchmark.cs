using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Service;
using Seq2Seq.Bench.Store;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench.Scale;

/// <summary>
/// Small jobs beside a large one, of another API key and of the same: how long each waits to be accepted, to start and to be
/// done, while the large one has every place that it can get. On the bundled model, once as fast as it is and once made slow.
/// </summary>
internal sealed class NeighbourBenchmark : IBenchmark
{
    private const int LinesPerJob = 10;

    // About as many lines a second as a large model has on a small machine.
    private const string Slow = """{"num_beams":4,"min_new_tokens":200,"max_new_tokens":200}""";

    public string Id => "neighbours";

    public string Title => "Small jobs beside a large one";

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        await using ServiceRun service = await ServiceRun.StartAsync(new ServiceRunOptions(), cancellationToken);
        using HttpClient large = await ClientAsync(service, "large", cancellationToken);
        using HttpClient other = await ClientAsync(service, "other", cancellationToken);
        List<IReadOnlyList<string>> rows = [];
        foreach (string parameters in (string[])["{}", Slow])
        {
            string id = await JobOverHttp.SubmitAsync(
                large,
                Address(parameters),
                Content(context.Scale.NeighbourLines, "fox"),
                cancellationToken
            );
            await ResultsAsync(large, id, cancellationToken);
            Waits ofOther = new();
            Waits ofSame = new();
            for (int i = 0; i < context.Scale.NeighbourJobs; i++)
            {
                context.Progress(string.Create(CultureInfo.InvariantCulture, $"small jobs {i} beside {parameters}"));
                await ofOther.AddAsync(other, parameters, i, cancellationToken);
                await ofSame.AddAsync(large, parameters, i, cancellationToken);
            }

            JsonElement job = await JobOverHttp.GetAsync(large, id, waitSeconds: 0, cancellationToken);
            double seconds = (
                TimeProvider.System.GetUtcNow() - job.GetProperty("started_at").GetDateTimeOffset()
            ).TotalSeconds;
            string beside = string.Create(
                CultureInfo.InvariantCulture,
                $"{job.GetProperty("lines").GetInt64():N0} lines, {job.GetProperty("lines_done").GetInt64() / seconds:F0}/s, {job.GetProperty("state").GetString()}"
            );
            rows.Add(ofOther.Row(beside, "another"));
            rows.Add(ofSame.Row(beside, "the same"));
            using HttpResponseMessage cancelled = await large.PostAsync(
                new Uri($"jobs/{id}/cancel", UriKind.Relative),
                content: null,
                cancellationToken
            );
            cancelled.EnsureSuccessStatusCode();
        }

        return new BenchmarkSection
        {
            Id = Id,
            Title = $"{Title}: {context.Scale.NeighbourJobs} jobs of {LinesPerJob} lines each",
            Tables =
            [
                new ResultTable(
                    [
                        "the large job, as it stood at the end",
                        "key",
                        "accepted p50, ms",
                        "most",
                        "accepted to started p50, ms",
                        "most",
                        "accepted to done p50, ms",
                        "most",
                    ],
                    rows
                ),
            ],
            Notes = [$"The bundled model; the second large job and the small ones beside it with `{Slow}`."],
        };
    }

    private static async Task<HttpClient> ClientAsync(
        ServiceRun service,
        string name,
        CancellationToken cancellationToken
    )
    {
        string key = await ChildProcess.RunAsync(
            ServiceRun.Executable,
            ["keys", "add", name, "--data", service.Folder.Path],
            cancellationToken
        );
        HttpClient client = new() { BaseAddress = service.Http.BaseAddress, Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Trim());
        return client;
    }

    // Until the first are there: the large job is at work.
    private static async Task ResultsAsync(HttpClient http, string id, CancellationToken cancellationToken)
    {
        while (
            (await JobOverHttp.GetAsync(http, id, waitSeconds: 0, cancellationToken)).GetProperty("state").GetString()
            != "running"
        )
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
        }
    }

    private static string Address(string parameters) =>
        $"jobs?model={BenchmarkFiles.BundledModel}&parameters={Uri.EscapeDataString(parameters)}";

    private static StreamContent Content(int lines, string word)
    {
        StreamContent content = new(
            new NumberedLines(lines, i => string.Create(CultureInfo.InvariantCulture, $"phonemize: {word}{i}"))
        );
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        return content;
    }

    /// <summary>What small jobs of one key waited for.</summary>
    private sealed class Waits
    {
        private readonly Sample _accepted = new();
        private readonly Sample _started = new();
        private readonly Sample _done = new();

        public async Task AddAsync(HttpClient http, string parameters, int number, CancellationToken cancellationToken)
        {
            long before = Stopwatch.GetTimestamp();
            string id = await JobOverHttp.SubmitAsync(
                http,
                Address(parameters),
                Content(LinesPerJob, string.Create(CultureInfo.InvariantCulture, $"hen{number}x")),
                cancellationToken
            );
            _accepted.Add(Stopwatch.GetElapsedTime(before).TotalSeconds);
            JsonElement job;
            do
            {
                job = await JobOverHttp.GetAsync(http, id, waitSeconds: 60, cancellationToken);
            } while (job.GetProperty("finished_at").ValueKind == JsonValueKind.Null);

            DateTimeOffset created = job.GetProperty("created_at").GetDateTimeOffset();
            _started.Add((job.GetProperty("started_at").GetDateTimeOffset() - created).TotalSeconds);
            _done.Add((job.GetProperty("finished_at").GetDateTimeOffset() - created).TotalSeconds);
        }

        public IReadOnlyList<string> Row(string beside, string key) =>
            [beside, key, .. new[] { _accepted, _started, _done }.SelectMany(Figures)];

        private static IEnumerable<string> Figures(Sample waits) =>
            new[] { waits.Median, waits.Quantile(1) }.Select(seconds =>
                (1000 * seconds).ToString("F0", CultureInfo.InvariantCulture)
            );
    }
}
