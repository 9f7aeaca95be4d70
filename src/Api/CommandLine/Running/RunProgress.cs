using System.Globalization;
using Seq2Seq.Api.CommandLine.Server;
using Spectre.Console;

namespace Seq2Seq.Api.CommandLine.Running;

/// <summary>What a run tells of itself.</summary>
internal interface IRunProgress
{
    /// <summary>So many bytes of the input have been sent.</summary>
    void Sent(long bytes);

    void Report(JobStatus job);

    /// <summary>The service does not answer; the run tries on.</summary>
    void Waiting(string reason);
}

/// <summary>Shows a run on standard error: a bar on a terminal, else a line now and then.</summary>
internal static class RunProgress
{
    public static async Task<JobStatus> ShowAsync(JobOrder order, Func<IRunProgress, Task<JobStatus>> run)
    {
        if (Console.IsErrorRedirected)
        {
            return await run(new LineProgress(TimeProvider.System));
        }

        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }
        );
        return await console
            .Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn()
            )
            .StartAsync(context => run(new BarProgress(context.AddTask("sending"), new FileInfo(order.Input).Length)));
    }

    internal static string Describe(JobStatus job)
    {
        string failed =
            job.LinesFailed > 0 ? string.Create(CultureInfo.InvariantCulture, $", {job.LinesFailed:N0} failed") : "";
        string waiting = job is { FinishedAt: null, Error: { } error } ? $" ({error.Message})" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{job.State}: {job.LinesDone:N0} of {job.Lines:N0} lines{failed}{waiting}"
        );
    }

    private sealed class BarProgress(ProgressTask task, long inputBytes) : IRunProgress
    {
        public void Sent(long bytes)
        {
            task.MaxValue = Math.Max(1, inputBytes);
            task.Value = bytes;
        }

        public void Report(JobStatus job)
        {
            task.MaxValue = Math.Max(1, job.Lines);
            task.Value = job.LinesDone;
            task.Description = Markup.Escape(Describe(job));
        }

        public void Waiting(string reason) => task.Description = Markup.Escape("waiting: " + reason);
    }

    private sealed class LineProgress(TimeProvider time) : IRunProgress
    {
        private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

        private string _said = "";
        private long _saidAt;

        public void Sent(long bytes) { }

        public void Report(JobStatus job) => Say(Describe(job), job.FinishedAt is not null);

        public void Waiting(string reason) => Say("waiting: " + reason, important: false);

        private void Say(string text, bool important)
        {
            if (text == _said || (!important && _said.Length > 0 && time.GetElapsedTime(_saidAt) < Every))
            {
                return;
            }

            Console.Error.WriteLine(text);
            _said = text;
            _saidAt = time.GetTimestamp();
        }
    }
}
