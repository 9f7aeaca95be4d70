using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Turns waiting shards into Hangfire jobs, a few at a time (<see cref="FeedQueries.Claim"/>). Every worker has a feeder;
/// a lock lets one claim at a time. A shard is claimed before its Hangfire job exists: when the process dies between the
/// two, <see cref="FeedQueries.Recover"/> brings the shard back. A doubled Hangfire job is harmless, because the second finds
/// the lease taken.
/// </summary>
internal sealed partial class Feeder(
    NpgsqlDataSource dataSource,
    IBackgroundJobClient client,
    FeedSignal signal,
    DatabaseListener listener,
    IOptions<JobsOptions> options,
    TimeProvider time,
    ILogger<Feeder> logger
) : BackgroundService
{
    // Shards whose back-off is over announce themselves to nobody.
    private static readonly TimeSpan _pollInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = listener.Subscribe(NotificationChannels.Waiting, _ => signal.Set(), signal.Set);
        while (true)
        {
            await signal.WaitAsync(_pollInterval, stoppingToken);
            try
            {
                await FeedAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(logger, exception);
                await Task.Delay(_retryDelay, time, stoppingToken);
            }
        }
    }

    /// <summary>Claims and queues what there is room for.</summary>
    /// <returns>How many shards.</returns>
    internal async Task<int> FeedAsync(CancellationToken cancellationToken)
    {
        var claimed = await ClaimAsync(cancellationToken);
        if (claimed.Count == 0)
        {
            return 0;
        }

        List<FedShard> fed = new(claimed.Count);
        try
        {
            foreach (var shard in claimed)
            {
                fed.Add(new FedShard(shard.Id, Enqueue(shard)));
            }
        }
        finally
        {
            // Also when stopping: what is queued is marked, what is not goes back.
            await SettleAsync(claimed, fed);
        }

        return fed.Count;
    }

    /// <summary>Puts shards back whose Hangfire job is gone.</summary>
    /// <returns>How many shards.</returns>
    internal async Task<int> RecoverAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(FeedQueries.Recover);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = age });
        int recovered = await command.ExecuteNonQueryAsync(cancellationToken);
        if (recovered > 0)
        {
            LogRecovered(logger, recovered);
            signal.Set();
        }

        return recovered;
    }

    private async Task<List<ClaimedShard>> ClaimAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        // One round trip and one transaction, which the batch is.
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(FeedQueries.Lock));
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(FeedQueries.Claim)
            {
                Parameters =
                {
                    new NpgsqlParameter<int> { TypedValue = options.Value.FeedWindow },
                    new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.Lease },
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        List<ClaimedShard> claimed = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            claimed.Add(
                new ClaimedShard(
                    reader.GetInt64(0),
                    reader.GetGuid(1),
                    reader.GetInt16(2),
                    reader.GetString(3),
                    reader.GetInt64(4)
                )
            );
        }

        claimed.Sort((a, b) => a.Rank.CompareTo(b.Rank));
        return claimed;
    }

    private string Enqueue(ClaimedShard shard)
    {
        var job = ShardJob.For(shard.JobId, shard.Id, ShardQueue.Name(shard.Priority, shard.Model));
        return client.Create(job, new EnqueuedState());
    }

    private async Task SettleAsync(List<ClaimedShard> claimed, List<FedShard> fed)
    {
        await using var connection = await dataSource.OpenConnectionAsync(CancellationToken.None);
        await using (var mark = new NpgsqlCommand(FeedQueries.Mark, connection))
        {
            mark.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. fed.Select(shard => shard.Id)] });
            mark.Parameters.Add(
                new NpgsqlParameter<string[]> { TypedValue = [.. fed.Select(shard => shard.HangfireJob)] }
            );
            await mark.ExecuteNonQueryAsync(CancellationToken.None);
        }

        await using (var note = new NpgsqlCommand(FeedQueries.Fed, connection))
        {
            note.Parameters.Add(
                new NpgsqlParameter<Guid[]> { TypedValue = [.. claimed.Select(shard => shard.JobId).Distinct()] }
            );
            await note.ExecuteNonQueryAsync(CancellationToken.None);
        }

        if (fed.Count < claimed.Count)
        {
            await using var unclaim = new NpgsqlCommand(FeedQueries.Unclaim, connection);
            unclaim.Parameters.Add(
                new NpgsqlParameter<long[]> { TypedValue = [.. claimed.Skip(fed.Count).Select(shard => shard.Id)] }
            );
            await unclaim.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    [LoggerMessage(2020, LogLevel.Warning, "Waiting shards could not be queued; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(2021, LogLevel.Warning, "{Count} queued shards had no Hangfire job and are waiting again")]
    private static partial void LogRecovered(ILogger logger, int count);

    private sealed record ClaimedShard(long Id, Guid JobId, int Priority, string Model, long Rank);

    private sealed record FedShard(long Id, string HangfireJob);
}
