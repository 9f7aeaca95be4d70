using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Turns waiting shards into Hangfire jobs, a few at a time (<see cref="FeedQueries.Claim"/>). Every worker has a feeder; a
/// lock lets one claim at a time. A shard and its Hangfire job are queued in one transaction, so a crash parts them never;
/// what parts them later is mended by <see cref="FeedQueries.Recover"/>. A doubled Hangfire job is harmless, because the second
/// finds the lease taken.
/// </summary>
internal sealed partial class Feeder(
    NpgsqlDataSource dataSource,
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
        bool failing = false;
        while (true)
        {
            bool signalled = await signal.WaitAsync(_pollInterval, stoppingToken);
            try
            {
                // An idle service looks every second: that should cost it next to nothing.
                if (signalled || await IsAnyWaitingAsync(stoppingToken))
                {
                    await FeedAsync(stoppingToken);
                }

                failing = false;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                if (!failing)
                {
                    // Once an outage, not once a try.
                    LogFailed(logger, exception);
                }

                failing = true;
                await Task.Delay(_retryDelay, time, stoppingToken);
            }
        }
    }

    /// <summary>Claims and queues what there is room for.</summary>
    /// <returns>How many shards.</returns>
    internal async Task<int> FeedAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        List<FedShard> claimed;
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            claimed = await ClaimAsync(connection, cancellationToken);
            if (claimed.Count == 0)
            {
                return 0;
            }

            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(ShardEnqueuer.Command(claimed));
            // In the same round trip: the work begins when this has been seen.
            batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        await NoteAsync(connection, claimed, cancellationToken);
        return claimed.Count;
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

    private async Task<bool> IsAnyWaitingAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(FeedQueries.IsAnyWaiting);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<List<FedShard>> ClaimAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Durability.NotAwaited));
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
        List<(long Rank, FedShard Shard)> claimed = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            string queue = ShardQueue.Name(reader.GetInt16(2), reader.GetString(3));
            claimed.Add((reader.GetInt64(4), new FedShard(reader.GetInt64(0), reader.GetGuid(1), queue)));
        }

        return [.. claimed.OrderBy(shard => shard.Rank).Select(shard => shard.Shard)];
    }

    // Apart from the claim, because it locks jobs' rows, which come before their shards'.
    private static async Task NoteAsync(
        NpgsqlConnection connection,
        List<FedShard> fed,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(FeedQueries.Fed, connection);
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = [.. fed.Select(shard => shard.JobId).Distinct()] }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(2020, LogLevel.Warning, "Waiting shards could not be queued; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(2021, LogLevel.Warning, "{Count} queued shards had no Hangfire job and are waiting again")]
    private static partial void LogRecovered(ILogger logger, int count);
}
