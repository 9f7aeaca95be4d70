using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Leasing;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// This process's slots, from preload to drain. Each loads its models and only then takes work; what could not be loaded is
/// tried again now and then and on request, while the slot serves the rest. When the host stops, slots take no more shards,
/// finish within the drain time, and hand back the rest.
/// </summary>
internal sealed partial class WorkerService(
    LocalSlots slots,
    SlotLoader loader,
    WorkerRegistry registry,
    WorkerIdentity worker,
    RunningShards running,
    DatabaseListener listener,
    JobStorage storage,
    IServiceProvider services,
    IOptions<JobsOptions> options,
    IOptions<ModelsOptions> models,
    TimeProvider time,
    ILogger<WorkerService> logger
) : BackgroundService
{
    private static readonly TimeSpan _checkInterval = TimeSpan.FromSeconds(1);

    // After the drain time, the shards that are left get this long to notice that they are to stop.
    private static readonly TimeSpan _handBackTime = TimeSpan.FromSeconds(5);

    private readonly Dictionary<DeviceSlot, SlotServer> _servers = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = listener.Subscribe(NotificationChannels.Models, RetryNow);
        foreach (var slot in slots.All)
        {
            var runner = ActivatorUtilities.CreateInstance<ShardRunner>(services, slot);
            string name = $"{worker.Host}:{worker.ProcessId}";
            _servers[slot] = new SlotServer(
                slot,
                runner,
                storage,
                name,
                slots.ShardsPerSlot + LocalSlots.ReservedPlaces
            );
        }

        var loads = slots.All.ToDictionary(slot => slot, slot => loader.LoadAsync(slot, stoppingToken));
        if (Placement.IsNeeded(slots.All))
        {
            await Task.WhenAll(loads.Values);
            await Placement.PlaceAsync(slots.All, MeasuredModels());
        }

        await Task.WhenAll(slots.All.Select(slot => ServeAsync(slot, loads[slot], stoppingToken)));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        LogDraining(logger, running.Count);
        await base.StopAsync(cancellationToken);
        foreach (var (slot, server) in _servers)
        {
            slot.SetState(SlotState.Draining, null);
            server.Stop();
        }

        await registry.TellAsync(cancellationToken);
        var ended = Task.WhenAll(_servers.Values.Select(server => server.WaitAsync(cancellationToken)));
        await WaitAsync(ended, options.Value.DrainTime, cancellationToken);
        foreach (var shard in running.All)
        {
            shard.Stop(StopReason.Draining);
        }

        await WaitAsync(ended, _handBackTime, cancellationToken);
        if (running.Count == 0)
        {
            LogDrained(logger);
        }
        else
        {
            LogLeft(logger, running.Count);
        }

        if (ended.IsCompletedSuccessfully)
        {
            await EndAsync(cancellationToken);
        }
    }

    private HashSet<string> MeasuredModels() =>
        [.. models.Value.Where(model => model.Value.Device == SlotPlan.AnyDevice).Select(model => model.Key)];

    private async Task ServeAsync(DeviceSlot slot, Task load, CancellationToken stoppingToken)
    {
        await load;
        _servers[slot].Serve();
        await registry.TellAsync(stoppingToken);
        while (true)
        {
            await Task.Delay(_checkInterval, time, stoppingToken);
            var broken = slot.TakeBroken();
            if (broken.Count > 0)
            {
                slot.Judge();
                _servers[slot].Serve();
                await registry.TellAsync(stoppingToken);
                foreach (var model in broken)
                {
                    await model.Model.Dispose();
                }
            }

            if (await loader.RetryAsync(slot, stoppingToken))
            {
                _servers[slot].Serve();
                await registry.TellAsync(stoppingToken);
            }
        }
    }

    private void RetryNow(string model)
    {
        foreach (var slot in slots.All)
        {
            slot.RetryNow(model, time.GetUtcNow());
        }
    }

    private Task<Task> WaitAsync(Task task, TimeSpan atMost, CancellationToken cancellationToken) =>
        Task.WhenAny(task, Task.Delay(atMost, time, cancellationToken));

    private async Task EndAsync(CancellationToken cancellationToken)
    {
        foreach (var (slot, server) in _servers)
        {
            server.Dispose();
            await slot.UnloadAsync();
        }

        await registry.RemoveAsync(cancellationToken);
    }

    [LoggerMessage(2070, LogLevel.Information, "Draining: {Count} shards are running")]
    private static partial void LogDraining(ILogger logger, int count);

    [LoggerMessage(2071, LogLevel.Information, "Drained: every shard was finished or handed back")]
    private static partial void LogDrained(ILogger logger);

    [LoggerMessage(2072, LogLevel.Warning, "{Count} shards did not stop in time and are left to their leases")]
    private static partial void LogLeft(ILogger logger, int count);
}
