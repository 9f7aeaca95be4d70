using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Storage;
using Seq2Seq.Jobs.Telemetry;
using Seq2Seq.Jobs.Webhooks;

namespace Seq2Seq.Jobs;

/// <summary>Registers this project's services. The host has registered an <c>NpgsqlDataSource</c> and the configuration.</summary>
public static class JobsServices
{
    // What stopping takes besides draining: handing back, Hangfire's servers, the models.
    private static readonly TimeSpan _stopReserve = TimeSpan.FromSeconds(15);

    /// <summary>Everything an API needs: submit, list, cancel, read results; Hangfire's storage and client; migration is apart.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddConfiguration();
        services.AddHangfireStorage();
        services.AddListener();
        services.AddJobStore();
        services.AddWebhooks();
        services.AddSingleton<TableMetrics>();
        services.AddSingleton(provider => new ModelDirectory(
            provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<IOptions<JobsOptions>>(),
            provider.GetRequiredService<IOptions<ModelsOptions>>()
        ));
        return services;
    }

    /// <summary>Everything a worker needs besides: preload, one Hangfire server per slot, feed, leases, rescue, retention.</summary>
    public static IServiceCollection AddJobWorkers(this IServiceCollection services)
    {
        services.AddSingleton<WorkerIdentity>();
        services.AddSingleton<LocalSlots>();
        services.AddSingleton<RunningShards>();
        services.AddSingleton<LeaseConnection>();
        services.AddSingleton<ShardLeases>();
        services.AddSingleton<ShardCompletion>();
        services.AddSingleton<ShardFailures>();
        services.AddSingleton<ShardRescue>();
        services.AddSingleton<JobFailure>();
        services.AddSingleton<UnreadParameters>();
        services.TryAddSingleton<LoadModel>(LoadedModel.Load);
        services.AddSingleton<ModelLoadStore>();
        services.AddSingleton<ModelProbe>();
        services.AddSingleton<ModelPreloader>();
        services.AddSingleton<ModelFailures>();
        services.AddSingleton<SlotLoader>();
        services.AddSingleton<WorkerRegistry>();
        services.AddSingleton(provider => new WorkerReadiness(provider.GetRequiredService<WorkerRegistry>()));
        services.AddSingleton<Feeder>();

        // Services stop in reverse: the slots drain while leases are still renewed.
        services.AddHostedService<Retention>();
        services.AddHostedService<LeaseHeartbeat>();
        services.AddHostedService<WorkerHeartbeat>();
        services.AddHostedService(provider => provider.GetRequiredService<Feeder>());
        services.AddHostedService<WorkerService>();
        services
            .AddOptions<HostOptions>()
            .Configure<IOptions<JobsOptions>>(
                (host, jobs) =>
                {
                    var needed = jobs.Value.DrainTime + _stopReserve;
                    host.ShutdownTimeout = host.ShutdownTimeout > needed ? host.ShutdownTimeout : needed;
                }
            );
        return services;
    }

    private static void AddConfiguration(this IServiceCollection services)
    {
        services.AddOptions<ModelsOptions>().BindConfiguration(ModelOptions.SectionName, Strict);
        services.AddOptions<SlotsOptions>().BindConfiguration(SlotOptions.SectionName, Strict);
        services.AddOptions<JobsOptions>().BindConfiguration(JobsOptions.SectionName, Strict).ValidateOnStart();
        services.AddSingleton<IValidateOptions<JobsOptions>, OptionsCheck>();

        // A misspelt setting would silently be the default.
        static void Strict(Microsoft.Extensions.Configuration.BinderOptions binder) =>
            binder.ErrorOnUnknownConfiguration = true;
    }

    private static void AddHangfireStorage(this IServiceCollection services)
    {
        services.AddSingleton<QueueWakeups>();
        services.AddSingleton<JobStorage>(provider =>
        {
            // Configures Hangfire and gives it its log.
            provider.GetRequiredService<IGlobalConfiguration>();
            return HangfireStorage.Create(
                provider.GetRequiredService<NpgsqlDataSource>(),
                provider.GetRequiredService<QueueWakeups>(),
                ShardQueue.Names(provider.GetRequiredService<IOptions<ModelsOptions>>().Value.Keys)
            );
        });
        services.AddSingleton(HangfireStorage.Filters);
        // What the dashboard asks for; our storage and filters stand before Hangfire's own.
        services.AddHangfire(HangfireStorage.Configure);
    }

    private static void AddListener(this IServiceCollection services)
    {
        services.AddSingleton<FeedSignal>();
        services.AddSingleton<DatabaseListener>();
        services.AddHostedService(provider => provider.GetRequiredService<DatabaseListener>());
    }
}
