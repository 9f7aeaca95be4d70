using System.Globalization;
using System.Text;
using Seq2Seq.Api.CommandLine.Lines;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Api.Tests.CommandLine.Lines;

public sealed class LinePipelineTests
{
    [Fact]
    public async Task Answers_come_in_the_order_of_the_lines_whichever_is_ready_first()
    {
        const int Count = 5000;
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, Count))));
        using var output = new MemoryStream();

        LineCounts counts = await LinePipeline.RunAsync(
            input,
            output,
            async (lines, cancellationToken) =>
            {
                // Later batches are ready sooner.
                await Task.Delay(TimeSpan.FromMilliseconds(40 - (lines[0].Number / 128)), cancellationToken);
                return [.. lines.Select(line => new LineAnswer(line.Utf8, Failed: line.Number % 10 == 0))];
            },
            CancellationToken.None
        );

        counts.Should().Be(new LineCounts(Count, Count / 10));
        Encoding
            .UTF8.GetString(output.ToArray())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(text => int.Parse(text, CultureInfo.InvariantCulture))
            .Should()
            .Equal(Enumerable.Range(0, Count));
    }

    [Fact]
    public async Task Reading_waits_when_answers_do()
    {
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, 100_000))));
        using var output = new MemoryStream();
        var release = new TaskCompletionSource();
        int started = 0;

        Task<LineCounts> running = LinePipeline.RunAsync(
            input,
            output,
            async (lines, cancellationToken) =>
            {
                Interlocked.Increment(ref started);
                await release.Task.WaitAsync(cancellationToken);
                return [.. lines.Select(line => new LineAnswer(line.Utf8, Failed: false))];
            },
            CancellationToken.None
        );
        await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        int inFlight = Volatile.Read(ref started);
        release.SetResult();

        inFlight.Should().BeInRange(1, 20);
        (await running).Lines.Should().Be(100_000);
    }

    [Fact]
    public async Task A_failure_of_the_work_ends_the_run()
    {
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, 100_000))));
        using var output = new MemoryStream();

        Func<Task> run = () =>
            LinePipeline.RunAsync(
                input,
                output,
                (_, _) => throw new InvalidOperationException("device lost"),
                CancellationToken.None
            );

        await run.Should().ThrowAsync<InvalidOperationException>().WithMessage("device lost");
    }

    [Fact]
    public void An_answer_has_the_lines_own_id_or_its_number()
    {
        var line = new InputLine(7, "{}"u8.ToArray(), TooLong: false);
        var error = new LineError { Code = LineErrorCodes.Empty, Message = "It is »empty«." };
        using var id = System.Text.Json.JsonDocument.Parse("\"x-1\"");

        Encoding
            .UTF8.GetString(LineAnswer.Of(line, id: null, error).Utf8)
            .Should()
            .Be("""{"line":7,"error":{"code":"line_empty","message":"It is »empty«."}}""");
        Encoding
            .UTF8.GetString(LineAnswer.Of(line, id.RootElement, writer => writer.WriteString("text", "ü")).Utf8)
            .Should()
            .Be("""{"id":"x-1","text":"ü"}""");
    }
}
