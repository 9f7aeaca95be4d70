using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Seq2Seq.Jobs.Telemetry;
using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests.Telemetry;

/// <summary>Metrics and spans are a process's, and other tests start services in this one: so these run when no others do.</summary>
[Collection(nameof(TelemetryTests))]
public sealed class TelemetryTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_say_what_waits_runs_and_is_done_from_the_tables()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);
        await MetricIsAsync("""seq2seq_jobs\{[^}]*model="capitals",state="running"\}""", value => value == 1);
        await MetricIsAsync("""seq2seq_shards\{[^}]*model="capitals",state="running"\}""", value => value == 1);
        await MetricIsAsync("""seq2seq_slots\{[^}]*slot="cpu:0",state="ready"\}""", value => value == 1);

        api.Application.CapitalsModel.Release(held);
        await api.Client.WaitAsync(id);

        await MetricIsAsync("""seq2seq_jobs_ended\{[^}]*model="capitals",state="completed"\}""", value => value >= 1);
        await MetricIsAsync("""seq2seq_lines_total\{[^}]*model="capitals",outcome="output"\}""", value => value >= 1);
        await MetricIsAsync(
            """seq2seq_shard_duration_seconds_count\{[^}]*model="capitals",outcome="done"\}""",
            value => value >= 1
        );
        await MetricIsAsync(
            """http_server_request_duration_seconds_count\{[^}]*http_route="/jobs/\{id\}/?"[^}]*\}""",
            value => value >= 1
        );
    }

    [Fact]
    public async Task Addresses_and_names_of_callers_are_no_labels()
    {
        await api.Client.GetAsync("/needle-in-an-address?needle=1", Cancellation);
        Guid id = await api.Client.SubmitAsync("needle");
        await api.Client.WaitAsync(id);

        string metrics = await api.Client.GetStringAsync("/metrics", Cancellation);

        metrics.Should().NotContain("needle").And.NotContain(id.ToString());
    }

    [Fact]
    public async Task A_run_of_a_shard_belongs_to_the_trace_that_submitted_its_job()
    {
        ConcurrentQueue<Activity> ended = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == JobTraces.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);

        Guid id = await api.Client.SubmitAsync("a");
        await api.Client.WaitAsync(id);
        await Eventually.HoldsAsync(
            () => Task.FromResult(Spans().Any(span => span.OperationName == "run shard")),
            TimeSpan.FromSeconds(10),
            "the shard's span has ended"
        );

        Activity submit = Spans().Single(span => span.OperationName == "submit job");
        Activity run = Spans().Single(span => span.OperationName == "run shard");
        run.ParentSpanId.Should().Be(submit.SpanId);
        run.TraceId.Should().Be(submit.TraceId);
        run.GetTagItem("seq2seq.outcome").Should().Be("done");
        ended
            .Where(span => span.ParentSpanId == run.SpanId && span.TraceId == run.TraceId)
            .Select(span => span.OperationName)
            .Should()
            .BeEquivalentTo("generate", "write results");

        IEnumerable<Activity> Spans() => ended.Where(span => id.Equals(span.GetTagItem("seq2seq.job")));
    }

    private async Task MetricIsAsync(string pattern, Func<double, bool> condition)
    {
        string metrics = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                metrics = await api.Client.GetStringAsync("/metrics", Cancellation);
                return Regex
                    .Matches(
                        metrics,
                        $@"^{pattern} (?<value>[0-9.e+]+)",
                        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
                        TimeSpan.FromSeconds(1)
                    )
                    .Any(match =>
                        condition(
                            double.Parse(match.Groups["value"].Value, System.Globalization.CultureInfo.InvariantCulture)
                        )
                    );
            },
            TimeSpan.FromSeconds(30),
            pattern
        );
    }
}

[CollectionDefinition(nameof(TelemetryTests), DisableParallelization = true)]
public sealed class TelemetryCollection;
