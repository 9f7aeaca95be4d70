using Hangfire;
using Hangfire.Common;
using Hangfire.PostgreSql;
using Npgsql;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Hangfire's storage as this service uses it. Its schema is installed by the
/// migrator, so a process that finds none fails instead of running degraded.
/// </summary>
internal static class HangfireStorage
{
    /// <summary>
    /// After this time without a sign of life a fetched job is handed out again. Nothing depends on it: our leases are
    /// shorter, and a shard that runs already refuses a second runner.
    /// </summary>
    public static readonly TimeSpan InvisibilityTimeout = TimeSpan.FromMinutes(5);

    /// <summary>
    /// After this time a lock of Hangfire's counts as a dead process's. They are held for milliseconds, around a change of a
    /// Hangfire job's state. By Hangfire's own ten minutes, the job of a worker that was killed in between is handed out again
    /// and stops whoever takes it until then: a few kills, and every worker stands still.
    /// </summary>
    private static readonly TimeSpan _lockTimeout = TimeSpan.FromSeconds(15);

    /// <param name="dataSource">The pool.</param>
    /// <param name="wakeups">Tells idle workers of queued shards.</param>
    /// <param name="queues">Queues that this service serves by <see cref="ShardJobQueue"/>.</param>
    public static PostgreSqlStorage Create(
        NpgsqlDataSource dataSource,
        QueueWakeups wakeups,
        IReadOnlyCollection<string> queues
    )
    {
        var options = new PostgreSqlStorageOptions
        {
            SchemaName = Migrator.HangfireSchema,
            PrepareSchemaIfNecessary = false,
            AllowDegradedModeWithoutStorage = false,
            StartupConnectionMaxRetries = 0,
            InvisibilityTimeout = InvisibilityTimeout,
            UseSlidingInvisibilityTimeout = true,
            DistributedLockTimeout = _lockTimeout,
            // Wake-ups come over the process's one listening connection; Hangfire's would pin a connection per idle worker.
            EnableLongPolling = false,
            JobExpirationCheckInterval = TimeSpan.FromMinutes(2),
        };
        var storage = new PostgreSqlStorage(new NotAwaitedConnectionFactory(dataSource), options);
        var usual = storage.QueueProviders.Single();
        storage.QueueProviders.Add(new ShardJobQueueProvider(storage, dataSource, wakeups, usual), queues);
        return storage;
    }

    /// <summary>
    /// What Hangfire keeps for the whole process: jobs are stored without this assembly's version, so that the next version
    /// reads them.
    /// </summary>
    public static void Configure(IGlobalConfiguration configuration) =>
        configuration
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings();

    /// <summary>
    /// The only filters that run. Retrying is absent because our tables retry; capturing the culture and continuations
    /// would cost statements whose rows nobody reads.
    /// </summary>
    public static IJobFilterProvider Filters { get; } =
        new JobFilterCollection { new StatisticsHistoryAttribute(), new ShardJobExpiration() };
}
