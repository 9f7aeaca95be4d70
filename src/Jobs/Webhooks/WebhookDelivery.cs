using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>
/// Sends the messages that are due. Any number of processes may do it at once: a message is claimed by putting off its next
/// attempt, so that one whose sender died is sent by another. At least once: receivers tell repetitions by <c>webhook-id</c>.
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

    private const int AtOnce = 32;

    // Longer than an attempt may take.
    private const string Claim = """
        UPDATE webhook_delivery
        SET attempts = attempts + 1, due_at = now() + interval '2 minutes'
        FROM job
        WHERE job.id = webhook_delivery.job_id AND webhook_delivery.id IN (
            SELECT id FROM webhook_delivery
            WHERE due_at <= now()
            ORDER BY due_at
            LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        RETURNING webhook_delivery.id, job.webhook_url, job.webhook_secret, webhook_delivery.body, webhook_delivery.attempts
        """;

    private const string UntilNext = "SELECT min(due_at) - now() FROM webhook_delivery WHERE due_at IS NOT NULL";

    private const string Record = """
        UPDATE webhook_delivery
        SET status = $2, error = $3, due_at = now() + $4, delivered_at = CASE WHEN $3 IS NULL THEN now() END
        WHERE id = $1
        """;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var wake = new SemaphoreSlim(1, 1);
        using var subscription = listener.Subscribe(NotificationChannels.Webhook, _ => Wake(wake), () => Wake(wake));
        var pause = _lookAgain;
        while (true)
        {
            await wake.WaitAsync(pause, stoppingToken);
            pause = _lookAgain;
            try
            {
                while (await DeliverDueAsync(stoppingToken) > 0) { }

                pause = await PauseAsync(stoppingToken);
            }
            catch (NpgsqlException exception)
            {
                LogFailed(logger, exception);
            }
        }
    }

    /// <summary>Makes one attempt at each of the messages that have been due longest.</summary>
    /// <returns>How many there were.</returns>
    internal async Task<int> DeliverDueAsync(CancellationToken cancellationToken)
    {
        var messages = await ClaimAsync(cancellationToken);
        await Task.WhenAll(messages.Select(message => DeliverAsync(message, cancellationToken)));
        return messages.Count;
    }

    /// <summary>How long nothing is due, as far as one can tell.</summary>
    internal async Task<TimeSpan> PauseAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(UntilNext);
        return await command.ExecuteScalarAsync(cancellationToken) is TimeSpan next && next < _lookAgain
            ? TimeSpan.FromTicks(Math.Max(next.Ticks, _shortestPause.Ticks))
            : _lookAgain;
    }

    private async Task<List<WebhookMessage>> ClaimAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(Claim);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AtOnce });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<WebhookMessage> messages = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            messages.Add(Read(reader));
        }

        return messages;
    }

    private static WebhookMessage Read(NpgsqlDataReader row) =>
        new(
            row.GetGuid(0),
            row.GetString(1),
            row.IsDBNull(2) ? null : row.GetString(2),
            row.GetString(3),
            row.GetInt32(4)
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

    private static void Wake(SemaphoreSlim wake)
    {
        try
        {
            wake.Release();
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
}
