using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Leasing;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// This worker's sign of life, and what every worker does for all now and then: take back shards whose lease has run out or
/// whose Hangfire job is gone, tell jobs that their model failed to load, fail jobs that are late, forget workers that are long dead.
/// </summary>
internal sealed partial class WorkerHeartbeat(
    WorkerRegistry registry,
    ShardRescue rescue,
    Feeder feeder,
    ModelFailures failures,
    JobFailure jobFailure,
    IOptions<JobsOptions> options,
    TimeProvider time,
    ILogger<WorkerHeartbeat> logger
) : BackgroundService
{
    // A worker takes the lease milliseconds after it has fetched a shard, unless it died in between.
    private static readonly TimeSpan _longestStart = TimeSpan.FromSeconds(5);

    // When an outage is over, all have time to renew their leases before anybody takes their shards.
    private long? _outageEnded;
    private bool _outage;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Lease / LeaseHeartbeat.BeatsPerLease, time);
        do
        {
            try
            {
                await BeatAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                _outage = true;
                LogFailed(logger, exception);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    internal async Task BeatAsync(CancellationToken cancellationToken)
    {
        await registry.WriteAsync(cancellationToken);
        if (IsSteady())
        {
            await rescue.RescueAsync(cancellationToken);
        }

        await feeder.RecoverAsync(_longestStart, cancellationToken);
        await failures.TellJobsAsync(cancellationToken);
        await jobFailure.FailLateAsync(cancellationToken);
        await registry.RemoveDeadAsync(cancellationToken);
    }

    private bool IsSteady()
    {
        if (_outage)
        {
            _outage = false;
            _outageEnded = time.GetTimestamp();
        }

        return _outageEnded is not { } ended || time.GetElapsedTime(ended) > options.Value.Lease;
    }

    [LoggerMessage(2040, LogLevel.Warning, "This worker could not give a sign of life; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
