using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>
/// Sends the messages that are due. Any number of processes may do it at once: a message is claimed by putting off its next
/// attempt, so that one whose sender died is sent by another. At least once: receivers tell repetitions by <c>webhook-id</c>.
/// Each attempt has a place of its own and frees it when it ends; one receiver, or one API key with many, never has all of
/// them, so that those who don't answer hold nobody else up.
/// </summary>
internal sealed partial class WebhookDelivery(
    NpgsqlDataSource dataSource,
    DatabaseListener listener,
    WebhookSender sender,
    TimeProvider time,
    ILogger<WebhookDelivery> logger
) : BackgroundService
{
    // Retries come without a notification, and other processes put messages off as well.
    private static readonly TimeSpan _lookAgain = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _shortestPause = TimeSpan.FromSeconds(1);

    /// <summary>Attempts that are under way at once in this process: in all, to one host, and of one API key's jobs.</summary>
    internal const int Places = 32;
    internal const int PlacesPerHost = 8;
    internal const int PlacesPerKey = 16;

    // One process at a time, for milliseconds: two that see the same messages due would both choose them. "hook" in ASCII.
    private const string Lock = "SELECT pg_advisory_xact_lock(x'686f6f6b'::bigint)";

    /// <summary>
    /// Those due longest, of each host and key as many as it has places free; among keys the one first that has the fewest. Put
    /// off for longer than an attempt may take. $1 places free, $2 hosts and $3 keys that have one, each as often as it has.
    /// </summary>
    private static readonly string _claim = $"""
        WITH due AS (
            SELECT webhook_delivery.id, webhook_delivery.due_at, job.api_key_id, job.webhook_url, job.webhook_secret,
                substring(job.webhook_url FROM '^[^/]*//(\[[^]]*\]|[^/:?]*)') AS host
            FROM webhook_delivery
            JOIN job ON job.id = webhook_delivery.job_id
            WHERE webhook_delivery.due_at <= now()
        ),
        of_host AS (
            SELECT *, row_number() OVER (PARTITION BY host ORDER BY due_at)
                + (SELECT count(*) FROM unnest($2) AS held WHERE held = host) AS place_of_host
            FROM due
        ),
        of_key AS (
            SELECT *, row_number() OVER (PARTITION BY api_key_id ORDER BY due_at)
                + (SELECT count(*) FROM unnest($3) AS held WHERE held IS NOT DISTINCT FROM api_key_id) AS place_of_key
            FROM of_host
            WHERE place_of_host <= {PlacesPerHost}
        ),
        next AS (
            SELECT * FROM of_key WHERE place_of_key <= {PlacesPerKey} ORDER BY place_of_key, due_at LIMIT $1
        )
        UPDATE webhook_delivery
        SET attempts = attempts + 1, due_at = now() + interval '2 minutes'
        FROM next
        WHERE webhook_delivery.id = next.id
        RETURNING webhook_delivery.id, next.webhook_url, next.webhook_secret, webhook_delivery.body,
            webhook_delivery.attempts, next.host, next.api_key_id
        """;

    private const string UntilNext = "SELECT min(due_at) - now() FROM webhook_delivery WHERE due_at IS NOT NULL";

    private const string Record = """
        UPDATE webhook_delivery
        SET status = $2, error = $3, due_at = now() + $4, delivered_at = CASE WHEN $3 IS NULL THEN now() END
        WHERE id = $1
        """;

    private readonly SemaphoreSlim _wake = new(1, 1);
    private readonly ConcurrentDictionary<Attempt, byte> _underWay = [];

    public override void Dispose()
    {
        base.Dispose();
        _wake.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = listener.Subscribe(NotificationChannels.Webhook, _ => Wake(), Wake);
        var pause = _lookAgain;
        List<Task> begun = [];
        try
        {
            while (true)
            {
                await _wake.WaitAsync(pause, stoppingToken);
                pause = _lookAgain;
                try
                {
                    while (await BeginDueAsync(stoppingToken) is { Count: > 0 } more)
                    {
                        begun.RemoveAll(attempt => attempt.IsCompleted);
                        begun.AddRange(more);
                    }

                    pause = await PauseAsync(stoppingToken);
                }
                catch (NpgsqlException exception)
                {
                    LogFailed(logger, exception);
                }
            }
        }
        finally
        {
            // Told to stop as well.
            await Task.WhenAll(begun).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Begins an attempt at each of the messages that are due and have a place.</summary>
    /// <returns>Those attempts; none while there is no place or nothing is due.</returns>
    internal async Task<IReadOnlyList<Task>> BeginDueAsync(CancellationToken cancellationToken)
    {
        Attempt[] underWay = [.. _underWay.Keys];
        if (underWay.Length == Places)
        {
            return [];
        }

        List<Task> begun = [];
        foreach (var attempt in await ClaimAsync(underWay, cancellationToken))
        {
            _underWay.TryAdd(attempt, default);
            begun.Add(AttemptAsync(attempt, cancellationToken));
        }

        return begun;
    }

    /// <summary>How long nothing is due, as far as one can tell. What is due and has no place is looked at when one gets free.</summary>
    internal async Task<TimeSpan> PauseAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(UntilNext);
        return await command.ExecuteScalarAsync(cancellationToken) is TimeSpan next && next < _lookAgain
            ? TimeSpan.FromTicks(Math.Max(next.Ticks, _shortestPause.Ticks))
            : _lookAgain;
    }

    private async Task<List<Attempt>> ClaimAsync(Attempt[] underWay, CancellationToken cancellationToken)
    {
        // The batch is one transaction.
        await using var batch = dataSource.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Lock));
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(_claim)
            {
                Parameters =
                {
                    new NpgsqlParameter<int> { TypedValue = Places - underWay.Length },
                    new NpgsqlParameter<string[]> { TypedValue = [.. underWay.Select(attempt => attempt.Host)] },
                    new NpgsqlParameter<Guid?[]> { TypedValue = [.. underWay.Select(attempt => attempt.ApiKeyId)] },
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        List<Attempt> attempts = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            attempts.Add(Read(reader));
        }

        return attempts;
    }

    private async Task AttemptAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        try
        {
            await DeliverAsync(attempt.Message, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // It is due again when its claim has run out.
            LogFailed(logger, exception);
        }
        finally
        {
            _underWay.TryRemove(attempt, out _);
            Wake();
        }
    }

    private static Attempt Read(NpgsqlDataReader row) =>
        new(
            new WebhookMessage(
                row.GetGuid(0),
                row.GetString(1),
                row.IsDBNull(2) ? null : row.GetString(2),
                row.GetString(3),
                row.GetInt32(4)
            ),
            row.GetString(5),
            row.IsDBNull(6) ? null : row.GetGuid(6)
        );

    private async Task DeliverAsync(WebhookMessage message, CancellationToken cancellationToken)
    {
        var answer = await sender.SendAsync(message, cancellationToken);
        var next = answer.Final ? null : WebhookBackoff.Next(message.Attempts, answer.RetryAfter);
        await using var command = dataSource.CreateCommand(Record);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = message.Id });
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = answer.Status });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = answer.Error });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan?> { TypedValue = next });
        await command.ExecuteNonQueryAsync(cancellationToken);
        if (answer.Error is null)
        {
            LogDelivered(logger, message.Id, message.Attempts);
        }
        else if (next is null)
        {
            LogGivenUp(logger, message.Id, message.Attempts, answer.Error);
        }
        else
        {
            LogPutOff(logger, message.Id, message.Attempts, answer.Error, time.GetUtcNow() + next.Value);
        }
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    [LoggerMessage(2110, LogLevel.Warning, "Webhooks could not be read or recorded; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(2111, LogLevel.Information, "Webhook {Message} was delivered in attempt {Attempt}")]
    private static partial void LogDelivered(ILogger logger, Guid message, int attempt);

    [LoggerMessage(2112, LogLevel.Warning, "Webhook {Message} failed in attempt {Attempt}: {Error} Next at {Next}")]
    private static partial void LogPutOff(ILogger logger, Guid message, int attempt, string error, DateTimeOffset next);

    [LoggerMessage(2113, LogLevel.Error, "Webhook {Message} was given up after {Attempts} attempts: {Error}")]
    private static partial void LogGivenUp(ILogger logger, Guid message, int attempts, string error);

    /// <summary>An attempt under way, and whose place it has.</summary>
    private sealed record Attempt(WebhookMessage Message, string Host, Guid? ApiKeyId);
}
