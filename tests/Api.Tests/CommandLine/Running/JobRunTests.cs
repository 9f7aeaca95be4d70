using System.Net;
using System.Text;
using Seq2Seq.Api.CommandLine;
using Seq2Seq.Api.CommandLine.Running;
using Seq2Seq.Api.CommandLine.Server;

namespace Seq2Seq.Api.Tests.CommandLine.Running;

public sealed class JobRunTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("seq2seq-test-");
    private readonly FakeService _service = new();

    public JobRunTests() => File.WriteAllText(Input, "a\nb\n");

    private string Input => Path.Combine(_folder.FullName, "in.txt");

    public void Dispose()
    {
        _service.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("out.jsonl", "jsonl")]
    [InlineData("out.txt", "text")]
    [InlineData("out.csv", "csv")]
    public async Task The_output_holds_every_line_once_though_it_came_in_pieces(string name, string format)
    {
        JobOrder order = Order(name);

        JobStatus job = await RunAsync(order);

        job.State.Should().Be("completed");
        (await ReadAsync(order)).Should().Be(_service.Output(format));
        _service.Requests.Count(r => r.Contains("/results", StringComparison.Ordinal)).Should().BeGreaterThan(2);
        Directory.GetFiles(_folder.FullName, "*.seq2seq-run").Should().BeEmpty();
    }

    [Fact]
    public async Task An_interrupted_run_goes_on_with_the_same_job_where_its_output_ends()
    {
        JobOrder order = Order("out.jsonl");
        await InterruptAsync(order);
        await File.AppendAllTextAsync(order.Output, "{\"line\":", TestContext.Current.CancellationToken);
        _service.Requests.Clear();

        await RunAsync(order);

        _service.IdempotencyKeys.Should().ContainSingle();
        _service.Requests.Should().NotContain(r => r.EndsWith("from=0", StringComparison.Ordinal));
        (await ReadAsync(order)).Should().Be(_service.Output("jsonl"));
    }

    [Fact]
    public async Task Another_run_after_a_whole_one_is_another_job()
    {
        JobOrder order = Order("out.jsonl");
        await RunAsync(order);

        await RunAsync(order);

        _service.IdempotencyKeys.Should().HaveCount(2);
        (await ReadAsync(order)).Should().Be(_service.Output("jsonl"));
    }

    [Fact]
    public async Task A_changed_input_is_another_job()
    {
        JobOrder order = Order("out.jsonl");
        await InterruptAsync(order);
        await File.AppendAllTextAsync(Input, "c\n", TestContext.Current.CancellationToken);

        await RunAsync(order);

        _service.IdempotencyKeys.Should().HaveCount(2);
        (await ReadAsync(order)).Should().Be(_service.Output("jsonl"));
    }

    [Fact]
    public async Task Outages_and_answers_that_break_off_leave_no_trace_in_the_output()
    {
        _service.Outages = 1;
        _service.BrokenResults = 1;
        JobOrder order = Order("out.csv");

        await RunAsync(order);

        _service.IdempotencyKeys.Should().ContainSingle();
        (await ReadAsync(order)).Should().Be(_service.Output("csv"));
    }

    [Fact]
    public async Task A_refusal_is_told_in_the_services_words()
    {
        using var refusal = new HttpResponseMessage(HttpStatusCode.UnprocessableEntity)
        {
            Content = new StringContent(
                """{"code": "model_unknown", "detail": "model is nope; expected english-tts."}""",
                Encoding.UTF8,
                "application/problem+json"
            ),
        };
        _service.Refusal = refusal;

        await FluentActions
            .Awaiting(() => RunAsync(Order("out.jsonl")))
            .Should()
            .ThrowAsync<CommandException>()
            .WithMessage("The service refused: model is nope; expected english-tts.");
        Directory.GetFiles(_folder.FullName).Should().Equal(Input);
    }

    private JobOrder Order(string output) =>
        new()
        {
            Input = Input,
            Output = Path.Combine(_folder.FullName, output),
            Model = "m",
            Priority = 5,
        };

    private Task<JobStatus> RunAsync(JobOrder order) =>
        RunAsync(order, new Silent(), TestContext.Current.CancellationToken);

    private async Task InterruptAsync(JobOrder order)
    {
        using var interrupt = new CancellationTokenSource();
        await FluentActions
            .Awaiting(() => RunAsync(order, new InterruptAfter(lines: 6, interrupt), interrupt.Token))
            .Should()
            .ThrowAsync<OperationCanceledException>();
    }

    private async Task<JobStatus> RunAsync(JobOrder order, IRunProgress progress, CancellationToken cancellationToken)
    {
        _service.Ready = 0;
        // Each run has its client, and a client disposes what carries its requests; the service outlives it.
        using var client = new ServiceClient(new Uri("http://test/"), apiKey: null, new Borrowed(_service));
        return await new JobRun(order, client, new HurriedTime()).ToEndAsync(progress, cancellationToken);
    }

    private static Task<string> ReadAsync(JobOrder order) =>
        File.ReadAllTextAsync(order.Output, TestContext.Current.CancellationToken);

    private sealed class Borrowed(HttpMessageHandler lender) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _invoker = new(lender, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) => _invoker.SendAsync(request, cancellationToken);
    }

    /// <summary>Waits pass a hundred times as fast.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime / 100, period);
    }

    private class Silent : IRunProgress
    {
        public void Sent(long bytes) { }

        public virtual void Report(JobStatus job) { }

        public void Waiting(string reason) { }
    }

    private sealed class InterruptAfter(int lines, CancellationTokenSource interrupt) : Silent
    {
        public override void Report(JobStatus job)
        {
            if (job.LinesDone > lines)
            {
                interrupt.Cancel();
            }
        }
    }
}
