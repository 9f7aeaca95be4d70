using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Telemetry;

namespace Seq2Seq.Jobs.Execution;

/// <summary>
/// Runs shards on one slot: lease, generate, write. Whatever happens ends in our tables before this returns; what it throws
/// is for Hangfire's dashboard alone.
/// </summary>
internal sealed partial class ShardRunner(
    DeviceSlot slot,
    ShardLeases leases,
    RunningShards running,
    ShardCompletion completion,
    ShardFailures failures,
    JobFailure jobFailure,
    UnreadParameters unreadParameters,
    ModelProbe probe,
    FeedSignal feed,
    IOptions<JobsOptions> options,
    TimeProvider time,
    ILogger<ShardRunner> logger
)
{
    /// <summary>Code of a shard whose run ended in an error.</summary>
    public const string FailedCode = "shard_failed";

    /// <summary>Code of a model that stopped generating on its slot.</summary>
    public const string BrokenCode = "model_broken";

    // Computed results wait for PostgreSQL as long as the lease may still be ours.
    private static readonly TimeSpan _longestWriteDelay = TimeSpan.FromSeconds(5);

    public async Task RunAsync(Guid jobId, long shardId, CancellationToken cancellationToken)
    {
        if (slot.State == SlotState.Draining)
        {
            // It was fetched while the server stopped.
            await leases.ReturnAsync(shardId, cancellationToken);
            return;
        }

        var shard = await leases.TakeAsync(jobId, shardId, slot.Plan.Name, cancellationToken);
        // A place in the queue is free.
        feed.Set();
        if (shard is null)
        {
            LogNotTaken(logger, shardId, jobId);
            return;
        }

        using var work = running.Begin(shard, cancellationToken);
        if (slot.Find(shard.Model) is not { } model)
        {
            // It left the slot after the shard was queued.
            await HandBackAsync(work);
            return;
        }

        if (Read(shard.Parameters, out var unread) is not { } parameters)
        {
            await HandBackUnreadAsync(work, unread!);
            return;
        }

        slot.BeginShard();
        using var span = JobTraces.Run(shard.TraceParent);
        span?.SetTag("seq2seq.job", shard.JobId)
            .SetTag("seq2seq.shard", shard.ShardId)
            .SetTag("seq2seq.attempt", shard.Attempt)
            .SetTag("seq2seq.lines", shard.Lines)
            .SetTag("seq2seq.model", shard.Model)
            .SetTag("seq2seq.slot", slot.Plan.Name);
        long start = time.GetTimestamp();
        string outcome = "failed";
        try
        {
            outcome = await WorkAsync(work, model, parameters) ? "done" : "refused";
        }
        catch (OperationCanceledException) when (work.Token.IsCancellationRequested)
        {
            outcome = "stopped";
            await HandBackAsync(work);
        }
        catch (GenerationParametersException exception)
        {
            string message = $"Parameter '{exception.Parameter}': {exception.Message}";
            LogParametersRefused(logger, jobId, exception.Parameter);
            work.Conclude();
            await jobFailure.FailAsync(jobId, JobFailure.ParametersCode, message, CancellationToken.None);
        }
        catch (Exception exception)
        {
            if (await probe.FindFaultAsync(model.Model, work.Token) is { } fault)
            {
                // Not the shard's fault: it goes to another slot, and this attempt does not count.
                LogBroken(logger, model.Name, slot.Plan.Name, fault);
                slot.Break(
                    model,
                    BrokenCode,
                    $"{fault.GetType().Name}: {fault.Message}",
                    time.GetUtcNow() + options.Value.ModelRetryInterval
                );
                await HandBackAsync(work);
            }
            else
            {
                await FailAsync(work, exception);
            }

            throw;
        }
        finally
        {
            slot.EndShard();
            // A place of the slot is free.
            feed.Set();
            span?.SetTag("seq2seq.outcome", outcome);
            span?.SetStatus(outcome == "failed" ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
            JobMetrics.ShardEnded(shard.Model, outcome, time.GetElapsedTime(start));
        }
    }

    /// <returns>Whether the results were taken; not when the lease was gone.</returns>
    private async Task<bool> WorkAsync(RunningShard work, PreloadedModel model, GenerationParameters parameters)
    {
        var shard = work.Shard;
        var start = time.GetTimestamp();
        var lines = ShardInput.Read(shard.Input);
        SequenceResult[] results;
        using (JobTraces.Step("generate"))
        {
            results = await GenerateAsync(model, shard, lines, parameters, work.Token);
        }

        using var writing = JobTraces.Step("write results");
        var outcome = new ShardOutcome
        {
            Output = Write(lines, results),
            Failed = results.Count(result => result.Error is not null),
            LoadId = model.LoadId,
        };
        if (await WriteAsync(work, outcome))
        {
            slot.CountLines(shard.Lines);
            JobMetrics.LinesWritten(shard.Model, shard.Lines, outcome.Failed);
            LogDone(
                logger,
                shard.ShardId,
                shard.JobId,
                shard.Lines,
                outcome.Failed,
                time.GetElapsedTime(start).TotalSeconds
            );
            return true;
        }

        LogRefusedByFence(logger, shard.ShardId, shard.JobId);
        return false;
    }

    /// <summary>
    /// Lines that can't be read keep their error, and lines that an earlier run or another shard has answered their answer; the
    /// others are generated together.
    /// </summary>
    private async Task<SequenceResult[]> GenerateAsync(
        PreloadedModel model,
        LeasedShard shard,
        IReadOnlyList<SourceLine> lines,
        GenerationParameters parameters,
        CancellationToken cancellationToken
    )
    {
        var known = model.Model.ComputesEqualLinesOnce
            ? slot.Answers.Find(
                shard.JobId,
                model.LoadId,
                [.. lines.Select(line => line.IsPlainText ? line.Text : null)]
            )
            : new SequenceResult?[lines.Count];
        for (int i = 0; i < known.Length; i++)
        {
            known[i] =
                lines[i].Answer ?? (lines[i].Error is { } error ? new SequenceResult { Error = error } : known[i]);
        }

        int[] open = [.. Enumerable.Range(0, known.Length).Where(i => known[i] is null)];
        var generated =
            open.Length == 0
                ? []
                : await model.Model.Generate(
                    [.. open.Select(i => Input(shard, i, lines[i]))],
                    parameters,
                    cancellationToken
                );
        if (model.Model.ComputesEqualLinesOnce)
        {
            slot.Answers.Add(
                shard.JobId,
                model.LoadId,
                open.Zip(generated)
                    .Where(pair => lines[pair.First].IsPlainText && pair.Second.IsRepeatable)
                    .Select(pair => (lines[pair.First].Text!, pair.Second))
            );
        }

        int next = 0;
        return [.. known.Select(result => result ?? generated[next++])];
    }

    private static SequenceInput Input(LeasedShard shard, int index, SourceLine line) =>
        new()
        {
            Text = line.Text,
            TokenIds = line.Text is null ? line.InputIds ?? [] : null,
            TargetText = line.Target,
            TargetTokenIds = line.TargetIds,
            PrefixText = line.TargetPrefix,
            PrefixTokenIds = line.DecoderInputIds,
            Line = shard.FirstLine + index,
        };

    private static ReadOnlyMemory<byte> Write(IReadOnlyList<SourceLine> lines, SequenceResult[] results)
    {
        var output = new ArrayBufferWriter<byte>();
        for (int i = 0; i < results.Length; i++)
        {
            ShardOutput.Append(output, lines[i].CustomId, results[i]);
        }

        return output.WrittenMemory;
    }

    /// <returns>Null when this version can't read them.</returns>
    private static GenerationParameters? Read(string parameters, out GenerationParametersException? unread)
    {
        using var document = JsonDocument.Parse(parameters);
        try
        {
            unread = null;
            return GenerationParametersJson.Read(document.RootElement);
        }
        catch (GenerationParametersException exception)
        {
            // Whoever submitted the job has read them.
            unread = exception;
            return null;
        }
    }

    private async Task<bool> WriteAsync(RunningShard work, ShardOutcome outcome)
    {
        work.Conclude();
        var delay = TimeSpan.FromMilliseconds(100);
        while (true)
        {
            try
            {
                return await completion.CompleteAsync(work.Shard, outcome, work.Token);
            }
            catch (NpgsqlException exception) when (exception.IsTransient || exception.SqlState is null)
            {
                LogWriteFailed(logger, work.Shard.ShardId, work.Shard.JobId, exception);
                await Task.Delay(delay, time, work.Token);
                delay = delay * 2 < _longestWriteDelay ? delay * 2 : _longestWriteDelay;
            }
        }
    }

    private async Task HandBackAsync(RunningShard work)
    {
        work.Conclude();
        LogStopped(logger, work.Shard.ShardId, work.Shard.JobId, work.Reason);
        if (work.Reason != StopReason.LeaseLost)
        {
            await leases.HandBackAsync(work.Shard, CancellationToken.None);
            feed.Set();
        }
    }

    private async Task HandBackUnreadAsync(RunningShard work, GenerationParametersException unread)
    {
        work.Conclude();
        var shard = work.Shard;
        if (await unreadParameters.HandBackAsync(shard, unread, CancellationToken.None))
        {
            LogParametersRefused(logger, shard.JobId, unread.Parameter);
        }
        else
        {
            LogUnread(logger, shard.ShardId, shard.JobId, unread.Parameter);
        }
    }

    private async Task FailAsync(RunningShard work, Exception exception)
    {
        work.Conclude();
        var shard = work.Shard;
        string message = $"{exception.GetType().Name}: {exception.Message}";
        try
        {
            var outcome = await failures.FailAsync(
                shard.JobId,
                shard.ShardId,
                shard.Token,
                FailedCode,
                message,
                onlyExpired: false,
                CancellationToken.None
            );
            LogFailed(logger, shard.ShardId, shard.JobId, shard.Attempt, outcome, exception);
        }
        catch (NpgsqlException lost)
        {
            // The lease will run out, and whoever rescues the shard counts the attempt.
            LogFailureNotWritten(logger, shard.ShardId, shard.JobId, lost);
        }
    }

    [LoggerMessage(2060, LogLevel.Debug, "Shard {Shard} of job {Job} was not there to take")]
    private static partial void LogNotTaken(ILogger logger, long shard, Guid job);

    [LoggerMessage(
        2061,
        LogLevel.Information,
        "Shard {Shard} of job {Job} is done: {Lines} lines, {Failed} of them errors, {Seconds:F2} s"
    )]
    private static partial void LogDone(ILogger logger, long shard, Guid job, int lines, int failed, double seconds);

    [LoggerMessage(2062, LogLevel.Warning, "The results of shard {Shard} of job {Job} were refused: the lease is gone")]
    private static partial void LogRefusedByFence(ILogger logger, long shard, Guid job);

    [LoggerMessage(2063, LogLevel.Warning, "Job {Job} failed: parameter {Parameter} is refused")]
    private static partial void LogParametersRefused(ILogger logger, Guid job, string parameter);

    [LoggerMessage(
        2064,
        LogLevel.Warning,
        "The results of shard {Shard} of job {Job} could not be written; trying again"
    )]
    private static partial void LogWriteFailed(ILogger logger, long shard, Guid job, Exception exception);

    [LoggerMessage(2065, LogLevel.Information, "Shard {Shard} of job {Job} was stopped: {Reason}")]
    private static partial void LogStopped(ILogger logger, long shard, Guid job, StopReason reason);

    [LoggerMessage(2066, LogLevel.Error, "Shard {Shard} of job {Job} failed in attempt {Attempt}: {Outcome}")]
    private static partial void LogFailed(
        ILogger logger,
        long shard,
        Guid job,
        int attempt,
        FailureOutcome outcome,
        Exception exception
    );

    [LoggerMessage(2067, LogLevel.Error, "That shard {Shard} of job {Job} failed could not be written")]
    private static partial void LogFailureNotWritten(ILogger logger, long shard, Guid job, Exception exception);

    [LoggerMessage(2068, LogLevel.Error, "Model {Model} no longer generates on slot {Slot}; its shards go elsewhere")]
    private static partial void LogBroken(ILogger logger, string model, string slot, Exception exception);

    [LoggerMessage(
        2069,
        LogLevel.Information,
        "Shard {Shard} of job {Job} waits for a newer worker: parameter {Parameter} can't be read here"
    )]
    private static partial void LogUnread(ILogger logger, long shard, Guid job, string parameter);
}
