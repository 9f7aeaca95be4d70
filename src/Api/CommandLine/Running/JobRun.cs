using System.Globalization;
using Seq2Seq.Api.CommandLine.Server;

namespace Seq2Seq.Api.CommandLine.Running;

/// <summary>
/// Takes an order to its end: submits it (once, whatever happens), fetches results in order while the job runs, and goes on
/// after interruptions of this process, of the network and of the service.
/// </summary>
internal sealed class JobRun(JobOrder order, ServiceClient service, TimeProvider time)
{
    // The first results of a small job are there at once; those of a long one need not be asked for all the time.
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(10);

    private long _lastAnswer = time.GetTimestamp();

    /// <returns>The job as it ended.</returns>
    public async Task<JobStatus> ToEndAsync(IRunProgress progress, CancellationToken cancellationToken)
    {
        string digest = await order.DigestAsync(cancellationToken);
        RunNote note = RunNote.Find(order.Output, digest) ?? RunNote.Begin(digest);
        await using FileStream output = OpenOutput(note);
        note.Save(order.Output);
        JobStatus job = await SubmitAsync(note, progress, cancellationToken);
        TimeSpan pause = FirstPoll;
        bool complete = false;
        while (!complete)
        {
            job = await RetryAsync(() => service.GetAsync(job.Id, cancellationToken), progress, cancellationToken);
            progress.Report(job);
            if (job.LinesDone > note.NextLine || job.FinishedAt is not null)
            {
                (note, complete) = await RetryAsync(
                    () => FetchAsync(job.Id, note, output, cancellationToken),
                    progress,
                    cancellationToken
                );
                note.Save(order.Output);
            }

            if (!complete)
            {
                await Task.Delay(pause, time, cancellationToken);
                pause = pause < LongestPoll / 2 ? pause * 2 : LongestPoll;
            }
        }

        if (job.FinishedAt is null)
        {
            // It ended between its status and its last results.
            job = await RetryAsync(() => service.GetAsync(job.Id, cancellationToken), progress, cancellationToken);
            progress.Report(job);
        }

        RunNote.Delete(order.Output);
        return job;
    }

    private async Task<JobStatus> SubmitAsync(RunNote note, IRunProgress progress, CancellationToken cancellationToken)
    {
        try
        {
            return await RetryAsync(
                () => service.SubmitAsync(order, note.IdempotencyKey, progress.Sent, cancellationToken),
                progress,
                cancellationToken
            );
        }
        catch (CommandException) when (note.OutputBytes == 0)
        {
            // Refused: there is no job to go on with, and nothing to keep.
            RunNote.Delete(order.Output);
            File.Delete(order.Output);
            throw;
        }
    }

    private FileStream OpenOutput(RunNote note)
    {
        try
        {
            var output = new FileStream(order.Output, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            output.SetLength(note.OutputBytes);
            return output;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"Output '{order.Output}' can't be written: {e.Message}", e);
        }
    }

    /// <summary>Appends the results that are ready; a broken answer leaves the output as it was.</summary>
    private async Task<(RunNote Note, bool Complete)> FetchAsync(
        Guid id,
        RunNote note,
        FileStream output,
        CancellationToken cancellationToken
    )
    {
        output.SetLength(note.OutputBytes);
        output.Position = note.OutputBytes;
        using HttpResponseMessage response = await service.OpenResultsAsync(
            id,
            order.OutputFormat,
            note.NextLine,
            cancellationToken
        );
        await using Stream results = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (order.OutputFormat == "csv" && note.OutputBytes > 0)
        {
            await PassHeaderAsync(results, cancellationToken);
        }

        try
        {
            await results.CopyToAsync(output, cancellationToken);
        }
        catch (IOException e)
        {
            throw new HttpRequestException("The results broke off: " + e.Message, e);
        }

        await output.FlushAsync(cancellationToken);
        return (
            note with
            {
                NextLine = long.Parse(Header(response, "Seq2Seq-Next-Line"), CultureInfo.InvariantCulture),
                OutputBytes = output.Position,
            },
            Header(response, "Seq2Seq-Complete") == "true"
        );
    }

    // Every answer begins with the header line; the file has it already.
    private static async Task PassHeaderAsync(Stream results, CancellationToken cancellationToken)
    {
        byte[] one = new byte[1];
        while (await results.ReadAsync(one, cancellationToken) == 1 && one[0] != (byte)'\n') { }
    }

    private static string Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values)
            ? values.First()
            : throw new CommandException(
                $"The service's answer has no {name}: is it a seq2seq service of this version?"
            );

    private async Task<T> RetryAsync<T>(
        Func<Task<T>> attempt,
        IRunProgress progress,
        CancellationToken cancellationToken
    )
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                T answer = await attempt();
                _lastAnswer = time.GetTimestamp();
                return answer;
            }
            catch (HttpRequestException e)
            {
                if (time.GetElapsedTime(_lastAnswer) > GiveUpAfter)
                {
                    throw new CommandException(
                        $"The service on {service.Address} does not answer: {e.Message} The job is kept there; the same command goes on with it.",
                        e
                    );
                }

                progress.Waiting(e.Message);
                await Task.Delay(TimeSpan.FromSeconds(Math.Min(1 << Math.Min(tries, 4), 10)), time, cancellationToken);
            }
        }
    }
}
