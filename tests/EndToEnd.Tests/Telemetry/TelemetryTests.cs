using System.Net.Http.Json;
using System.Text.Json;
using Seq2Seq.Testing;

namespace Seq2Seq.EndToEnd.Tests.Telemetry;

public sealed class TelemetryTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_collector_gets_a_job_s_spans_as_one_trace_and_the_metrics()
    {
        await using TelemetryCollector collector = await TelemetryCollector.StartAsync();
        using DataFolder data = new();
        Dictionary<string, string> configuration = new(StringComparer.Ordinal)
        {
            ["Telemetry__OtlpEndpoint"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            ["Jobs__ShardLines"] = "20",
        };
        await using ServiceProcess service = ServiceProcess.Start(data.Path, environment: configuration);
        await service.ReadyAsync(Cancelled);

        string job = await service.Http.SubmitAsync(Words.Lines(40), Cancelled);
        (await service.Http.UntilAsync(job, long.MaxValue, Cancelled)).Name.Should().Be("completed", service.Log);

        JsonElement resource = await service.Http.GetFromJsonAsync<JsonElement>($"jobs/{job}", Cancelled);
        int shards = resource.GetProperty("shards").GetInt32();
        await Eventually.HoldsAsync(
            () => Task.FromResult(collector.Spans.Count(span => span.Name == "run shard") == shards),
            TimeSpan.FromMinutes(1),
            "the runs of all shards have arrived"
        );
        await Eventually.HoldsAsync(
            () => Task.FromResult(collector.Metrics.ContainsKey("seq2seq.lines")),
            TimeSpan.FromMinutes(1),
            "the metric has arrived"
        );
        ReceivedSpan submit = collector.Spans.Single(span => span.Name == "submit job");
        ReceivedSpan[] runs = [.. collector.Spans.Where(span => span.Name == "run shard")];
        runs.Should().OnlyContain(run => run.TraceId == submit.TraceId);
        runs.Should().OnlyContain(run => run.ParentId == submit.SpanId);
        foreach (ReceivedSpan run in runs)
        {
            collector
                .Spans.Where(span => span.ParentId == run.SpanId)
                .Select(span => span.Name)
                .Should()
                .BeEquivalentTo("generate", "write results");
        }
    }
}
