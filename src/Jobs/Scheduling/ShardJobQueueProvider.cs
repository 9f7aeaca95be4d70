using Hangfire.PostgreSql;
using Npgsql;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>Plugs <see cref="ShardJobQueue"/> into Hangfire's storage. What the dashboard asks is answered as usual.</summary>
internal sealed class ShardJobQueueProvider(
    PostgreSqlStorage storage,
    NpgsqlDataSource dataSource,
    QueueWakeups wakeups,
    IPersistentJobQueueProvider usual
) : IPersistentJobQueueProvider
{
    private readonly ShardJobQueue _queue = new(storage, dataSource, wakeups);

    public IPersistentJobQueue GetJobQueue() => _queue;

    public IPersistentJobQueueMonitoringApi GetJobQueueMonitoringApi() =>
        new Monitoring(usual.GetJobQueueMonitoringApi());

    /// <summary>All queues stand in one table and the usual provider lists them all: listing ours too would show them twice.</summary>
    private sealed class Monitoring(IPersistentJobQueueMonitoringApi usual) : IPersistentJobQueueMonitoringApi
    {
        public IEnumerable<string> GetQueues() => [];

        public IEnumerable<long> GetEnqueuedJobIds(string queue, int from, int perPage) =>
            usual.GetEnqueuedJobIds(queue, from, perPage);

        public IEnumerable<long> GetFetchedJobIds(string queue, int from, int perPage) =>
            usual.GetFetchedJobIds(queue, from, perPage);

        public EnqueuedAndFetchedCountDto GetEnqueuedAndFetchedCount(string queue) =>
            usual.GetEnqueuedAndFetchedCount(queue);
    }
}
