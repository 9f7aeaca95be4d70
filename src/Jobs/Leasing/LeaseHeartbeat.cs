using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>
/// Renews every lease of this process in one statement, three times in a lease's life, over <see cref="LeaseConnection"/>, and
/// stops the work on leases that are gone. That a job has ended is also notified, so that cancelling acts at once.
/// </summary>
internal sealed partial class LeaseHeartbeat(
    ShardLeases leases,
    RunningShards running,
    DatabaseListener listener,
    IOptions<JobsOptions> options,
    TimeProvider time,
    ILogger<LeaseHeartbeat> logger
) : BackgroundService
{
    public const int BeatsPerLease = 3;

    private static readonly TimeSpan _tryAgain = TimeSpan.FromSeconds(1);

    private bool _isFailing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = listener.Subscribe(NotificationChannels.Ended, StopJob);
        using var timer = new PeriodicTimer(options.Value.Lease / BeatsPerLease, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            while (!await TryBeatAsync(stoppingToken))
            {
                await Task.Delay(_tryAgain, time, stoppingToken);
            }
        }
    }

    private async Task<bool> TryBeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            await BeatAsync(cancellationToken);
            _isFailing = false;
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The work goes on: whether the leases still hold is seen when the database is back. Once an outage, not once a try.
            if (!_isFailing)
            {
                _isFailing = true;
                LogNotRenewed(logger, running.Count, exception);
            }

            return false;
        }
    }

    internal async Task BeatAsync(CancellationToken cancellationToken)
    {
        var shards = running.All;
        if (shards.Count == 0)
        {
            return;
        }

        var valid = await leases.RenewAsync([.. shards.Select(shard => shard.Shard.Token)], cancellationToken);
        foreach (var lost in shards.Where(shard => !valid.Contains(shard.Shard.Token)))
        {
            // Not when its own work has just ended the lease.
            if (lost.Stop(StopReason.LeaseLost))
            {
                LogLost(logger, lost.Shard.ShardId, lost.Shard.JobId);
            }
        }
    }

    private void StopJob(string jobId)
    {
        foreach (var shard in running.All)
        {
            if (Guid.TryParse(jobId, out var id) && shard.Shard.JobId == id)
            {
                shard.Stop(StopReason.LeaseLost);
            }
        }
    }

    [LoggerMessage(2010, LogLevel.Warning, "The leases of {Count} shards could not be renewed; trying again")]
    private static partial void LogNotRenewed(ILogger logger, int count, Exception exception);

    [LoggerMessage(2011, LogLevel.Warning, "The lease on shard {Shard} of job {Job} is gone; its work stops")]
    private static partial void LogLost(ILogger logger, long shard, Guid job);
}
