using System.Data;
using System.Globalization;
using Hangfire.PostgreSql;
using Hangfire.Storage;
using Npgsql;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Hangfire's queue table, taken from by priority and then in order of arrival. Hangfire's own order is alphabetical, under
/// which a busy model would starve every model after it in the alphabet. An idle worker waits in memory for
/// <see cref="QueueWakeups"/> instead of holding a connection.
/// </summary>
internal sealed class ShardJobQueue(PostgreSqlStorage storage, NpgsqlDataSource dataSource, QueueWakeups wakeups)
    : IPersistentJobQueue
{
    // Wake-ups do the work; this finds what a lost one left behind. Every idle worker looks so often, each at another time.
    private static readonly TimeSpan _pollInterval = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);

    // The priority is the first character of a queue's name (ShardQueue).
    private static readonly string _fetch = $"""
        UPDATE {Migrator.HangfireSchema}.jobqueue
        SET fetchedat = now()
        WHERE id = (
            SELECT id
            FROM {Migrator.HangfireSchema}.jobqueue
            WHERE queue = ANY ($1) AND (fetchedat IS NULL OR fetchedat < now() - $2)
            ORDER BY left(queue, 1), id
            FOR UPDATE SKIP LOCKED
            LIMIT 1
        )
        RETURNING id, jobid, queue, fetchedat
        """;

    private static readonly string _enqueue = $"""
        WITH queued AS (INSERT INTO {Migrator.HangfireSchema}.jobqueue (jobid, queue) VALUES ($1, $2) RETURNING queue)
        SELECT pg_notify('{NotificationChannels.Queue}', queue) FROM queued
        """;

    public IFetchedJob Dequeue(string[] queues, CancellationToken cancellationToken)
    {
        // Listening starts before the first look, so that nothing falls between the two.
        using var waiter = wakeups.Listen(queues);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (Fetch(queues) is { } job)
                {
                    return job;
                }

                waiter.Wait(_pollInterval, cancellationToken);
            }
            catch (NpgsqlException)
            {
                // Others say that the database is away. Hangfire would wait longer each time, in the end for minutes.
                cancellationToken.WaitHandle.WaitOne(_retryDelay);
            }
        }
    }

    public void Enqueue(IDbConnection connection, string queue, string jobId)
    {
        using var command = connection.CreateCommand();
        command.CommandText = _enqueue;
        command.Parameters.Add(
            new NpgsqlParameter<long> { TypedValue = long.Parse(jobId, CultureInfo.InvariantCulture) }
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        command.ExecuteNonQuery();
    }

    private PostgreSqlFetchedJob? Fetch(string[] queues)
    {
        using var batch = dataSource.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Durability.NotAwaited));
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(_fetch)
            {
                Parameters =
                {
                    new NpgsqlParameter<string[]> { TypedValue = queues },
                    new NpgsqlParameter<TimeSpan> { TypedValue = HangfireStorage.InvisibilityTimeout },
                },
            }
        );
        using var reader = batch.ExecuteReader();
        return reader.Read()
            ? new PostgreSqlFetchedJob(
                storage,
                reader.GetInt64(0),
                reader.GetInt64(1).ToString(CultureInfo.InvariantCulture),
                reader.GetString(2),
                reader.GetDateTime(3)
            )
            : null;
    }
}
