using System.Buffers;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Telemetry;

namespace Seq2Seq.Jobs.Submission;

/// <summary>
/// Turns a request and its lines into one job and its shards. Lines stream in; memory stays constant. A small job is stored
/// in one round trip; a large one stands in state <c>receiving</c>, which nobody runs, until its last line is there. A submit
/// that breaks off leaves nothing.
/// </summary>
public sealed class JobSubmitter
{
    // What is held in memory before it is stored.
    private const int BatchBytes = 4 * 1024 * 1024;

    // Long before a job counts as abandoned.
    private static readonly TimeSpan _signOfLife = TimeSpan.FromMinutes(1);

    private readonly NpgsqlDataSource _dataSource;
    private readonly RequestCheck _check;
    private readonly KeyUsage _usage;
    private readonly JobsOptions _options;
    private readonly TimeProvider _time;

    internal JobSubmitter(
        NpgsqlDataSource dataSource,
        RequestCheck check,
        KeyUsage usage,
        IOptions<JobsOptions> options,
        TimeProvider time
    )
    {
        _dataSource = dataSource;
        _check = check;
        _usage = usage;
        _options = options.Value;
        _time = time;
    }

    /// <summary>Submits a job; when this returns, the job is durable.</summary>
    /// <returns>The job, and whether this call created it (false: an earlier submit with the same idempotency key did).</returns>
    /// <exception cref="SubmissionException">The request is wrong; nothing was stored.</exception>
    /// <exception cref="LimitExceededException">The API key has reached a limit; nothing was stored.</exception>
    public async Task<SubmittedJob> SubmitAsync(
        JobRequest request,
        IAsyncEnumerable<SourceLine> lines,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(lines);
        request = await _check.CheckAsync(request, cancellationToken);
        using var span = JobTraces.Submit(request.Model);
        var upload = new JobUpload(_dataSource, request, request.Retention ?? _options.Retention, _time);
        await using (upload.ConfigureAwait(false))
        {
            await upload.LookUpKeyAsync(cancellationToken);
            var allowance =
                request.ApiKeyId is { } key && !upload.IsRepeat
                    ? await _usage.BeginAsync(key, cancellationToken)
                    : null;
            upload.IsLimited = allowance?.Limits.BoundsWhatIsStored ?? false;
            await SendAsync(upload, lines, allowance, cancellationToken);
            var submitted = await upload.CompleteAsync(cancellationToken);
            span?.SetTag("seq2seq.job", submitted.Job.Id);
            span?.SetTag("seq2seq.lines", submitted.Job.Lines);
            return submitted;
        }
    }

    private async Task SendAsync(
        JobUpload upload,
        IAsyncEnumerable<SourceLine> lines,
        KeyAllowance? allowance,
        CancellationToken cancellationToken
    )
    {
        var cutter = new ShardCutter(_options.ShardLines, _options.ShardBytes);
        var stored = new ArrayBufferWriter<byte>();
        long sent = _time.GetTimestamp();
        await foreach (var line in lines.WithCancellation(cancellationToken))
        {
            var (checkedLine, bytes) = LineCheck.Check(line);
            upload.Bytes += bytes;
            if (upload.Bytes > _options.MaxInputBytes)
            {
                throw new SubmissionException(
                    SubmissionCodes.InputTooLarge,
                    "input",
                    $"The input has more than {_options.MaxInputBytes} bytes."
                );
            }

            allowance?.Check(cutter.Lines + 1, upload.Bytes);
            stored.ResetWrittenCount();
            ShardInput.Append(stored, checkedLine);
            upload.Digest?.Add(stored.WrittenSpan);
            upload.Add(cutter.Add(stored.WrittenSpan));
            if (upload.PendingBytes >= BatchBytes || _time.GetElapsedTime(sent) >= _signOfLife)
            {
                await upload.SendAsync(cancellationToken);
                sent = _time.GetTimestamp();
            }
        }

        upload.Add(cutter.Finish());
    }
}

/// <param name="Job">The job as stored.</param>
/// <param name="Created">False when an idempotency key led to an earlier job.</param>
public sealed record SubmittedJob(Job Job, bool Created);
