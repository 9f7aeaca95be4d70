using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// The one connection of a process that waits for PostgreSQL's notifications (<see cref="NotificationChannels"/>). They only
/// hasten: what a notification says is also in the tables, so subscribers look there when the connection was lost, and once
/// in a while.
/// </summary>
internal sealed partial class DatabaseListener(
    NpgsqlDataSource dataSource,
    TimeProvider time,
    ILogger<DatabaseListener> logger
) : BackgroundService
{
    private static readonly TimeSpan _reconnectDelay = TimeSpan.FromSeconds(1);

    // A connection that was cut without a word is found by asking now and then.
    private static readonly TimeSpan _aliveInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _aliveTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private bool _isLost;
    private Subscription[] _subscriptions = [];

    /// <summary>Calls back on the listener's thread: be brief.</summary>
    /// <param name="channel">One of <see cref="NotificationChannels.All"/>.</param>
    /// <param name="notified">Given the payload of each notification.</param>
    /// <param name="connected">Called whenever listening has begun: what happened before was not heard.</param>
    /// <returns>Ends the subscription.</returns>
    public IDisposable Subscribe(string channel, Action<string> notified, Action? connected = null)
    {
        var subscription = new Subscription(this, channel, notified, connected);
        lock (_lock)
        {
            _subscriptions = [.. _subscriptions, subscription];
        }

        return subscription;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                if (!_isLost)
                {
                    // Once an outage, not once a try.
                    _isLost = true;
                    LogLost(logger, exception);
                    ForgetIdleConnections();
                }

                await Task.Delay(_reconnectDelay, time, stoppingToken);
            }
        }
    }

    // What cut this connection has cut the others, too. Whoever took one of those from a pool would wait for its timeout, one
    // after the other.
    private void ForgetIdleConnections()
    {
        dataSource.Clear();
        // Hangfire's and the leases', which differ in a setting.
        NpgsqlConnection.ClearAllPools();
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(stoppingToken);
        connection.Notification += OnNotification;
        await ExecuteAsync(connection, string.Concat(NotificationChannels.All.Select(channel => $"LISTEN {channel};")));
        if (_isLost)
        {
            _isLost = false;
            LogFound(logger);
        }

        foreach (var subscription in _subscriptions)
        {
            subscription.Connected?.Invoke();
        }

        try
        {
            while (true)
            {
                if (!await connection.WaitAsync(_aliveInterval, stoppingToken))
                {
                    await ExecuteAsync(connection, "SELECT 1");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The pool hands connections on as they are.
            connection.Notification -= OnNotification;
            await ExecuteAsync(connection, "UNLISTEN *");
            throw;
        }
    }

    private void OnNotification(object sender, NpgsqlNotificationEventArgs notification)
    {
        foreach (var subscription in _subscriptions)
        {
            if (subscription.Channel == notification.Channel)
            {
                subscription.Notified(notification.Payload);
            }
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.CommandTimeout = (int)_aliveTimeout.TotalSeconds;
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    [LoggerMessage(2000, LogLevel.Warning, "The connection that listens to PostgreSQL was lost; trying again")]
    private static partial void LogLost(ILogger logger, Exception exception);

    [LoggerMessage(2001, LogLevel.Information, "PostgreSQL is listened to again")]
    private static partial void LogFound(ILogger logger);

    private sealed record Subscription(
        DatabaseListener Listener,
        string Channel,
        Action<string> Notified,
        Action? Connected
    ) : IDisposable
    {
        public void Dispose()
        {
            lock (Listener._lock)
            {
                Listener._subscriptions = [.. Listener._subscriptions.Where(other => !ReferenceEquals(other, this))];
            }
        }
    }
}
