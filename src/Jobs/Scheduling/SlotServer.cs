using Hangfire;
using Seq2Seq.Jobs.Execution;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// The Hangfire server of one slot. It listens only to the queues of the models that the slot holds, which binds shards to
/// devices. Hangfire fixes a server's queues when it starts, so when a model joins later, a second server takes over and
/// the first ends with its last shard.
/// </summary>
internal sealed class SlotServer(
    DeviceSlot slot,
    ShardRunner runner,
    JobStorage storage,
    string workerName,
    int shardsAtOnce
) : IDisposable
{
    // Hangfire never cuts a shard off: draining does (WorkerService).
    private static readonly TimeSpan _endless = TimeSpan.FromDays(7);

    // There are no delayed or recurring jobs of Hangfire's to look for.
    private static readonly TimeSpan _schedulePollingInterval = TimeSpan.FromMinutes(5);

    private readonly List<BackgroundJobServer> _servers = [];

    /// <summary>Takes work for the models that are ready now.</summary>
    public void Serve()
    {
        Stop();
        string[] queues = ShardQueue.Names(slot.ReadyModels);
        if (queues.Length > 0)
        {
            _servers.Add(new BackgroundJobServer(Options(queues), storage));
        }
    }

    /// <summary>Takes no more work; what runs goes on.</summary>
    public void Stop() => _servers.ForEach(server => server.SendStop());

    /// <summary>Completes when nothing runs any more.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_servers.Select(server => server.WaitForShutdownAsync(cancellationToken)));

    public void Dispose()
    {
        _servers.ForEach(server => server.Dispose());
        _servers.Clear();
    }

    private BackgroundJobServerOptions Options(string[] queues) =>
        new()
        {
            ServerName = $"{workerName}/{slot.Plan.Name}",
            Queues = queues,
            WorkerCount = shardsAtOnce,
            Activator = new ShardJobActivator(runner),
            FilterProvider = HangfireStorage.Filters,
            StopTimeout = _endless,
            ShutdownTimeout = _endless,
            SchedulePollingInterval = _schedulePollingInterval,
        };
}
