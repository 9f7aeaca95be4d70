using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Seq2Seq.Api.Authentication;
using Seq2Seq.Api.Health;
using Seq2Seq.Api.Telemetry;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Api.Hosting;

/// <summary>
/// One process of the service: its database at this version, then workers and HTTP as its role says. HTTP answers
/// (<c>/livez</c>, <c>/readyz</c>) while models are still loading. Stopping drains the workers, then stops an own PostgreSQL.
/// </summary>
internal sealed class ServiceHost : IAsyncDisposable
{
    /// <summary>Loopback: a service without API keys is nobody else's.</summary>
    public const string UsualUrls = "http://127.0.0.1:5080";

    // Beyond the drain: to hand back what was not finished and to say good-bye to the database.
    private static readonly TimeSpan AfterDrain = TimeSpan.FromSeconds(15);

    private readonly ServiceDatabase _database;
    private readonly IHost _host;
    private bool _stopped;

    private ServiceHost(ServiceDatabase database, IHost host)
    {
        _database = database;
        _host = host;
    }

    /// <summary>The addresses that it listens on; none for a worker that was given none.</summary>
    public IReadOnlyCollection<string> Addresses =>
        [.. _host.Services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    /// <summary>Starts a process of the service; returns when HTTP answers, which is before the models are loaded.</summary>
    public static async Task<ServiceHost> StartAsync(ServiceSettings settings, CancellationToken cancellationToken)
    {
        var configuration = new ConfigurationBuilder();
        settings.AddTo(configuration);
        IConfigurationRoot early = configuration.Build();
        using ILoggerFactory loggers = LoggerFactory.Create(logging =>
            ServiceLogging.Configure(logging, early, settings)
        );
        ServiceDatabase database = await ServiceDatabase.OpenAsync(early, settings.Role, loggers, cancellationToken);
        try
        {
            IHost host = Build(settings, database);
            try
            {
                await host.StartAsync(cancellationToken);
                return new ServiceHost(database, host);
            }
            catch
            {
                // What has started must be told to stop: torn down instead, it would complain at length.
                await host.StopAsync(CancellationToken.None);
                await DisposeAsync(host);
                throw;
            }
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when the service is told to stop (SIGTERM, SIGINT), or <paramref name="stopping"/> is cancelled, and has stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await _host.WaitForShutdownAsync(stopping);
        _stopped = true;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
        {
            await _host.StopAsync();
        }

        await DisposeAsync(_host);
        await _database.DisposeAsync();
    }

    private static ValueTask DisposeAsync(IHost host) => ((IAsyncDisposable)host).DisposeAsync();

    private static IHost Build(ServiceSettings settings, ServiceDatabase database)
    {
        if (settings is { Role: ServiceRole.Worker, Urls: null })
        {
            var worker = new HostApplicationBuilder(
                new HostApplicationBuilderSettings
                {
                    DisableDefaults = true,
                    ContentRootPath = settings.Configuration.Root,
                }
            );
            Configure(worker, settings, database.ConnectionString);
            worker.Services.AddTelemetry(worker.Configuration);
            return worker.Build();
        }

        WebApplicationBuilder builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ContentRootPath = settings.Configuration.Root }
        );
        builder.Configuration.Sources.Clear();
        Configure(builder, settings, database.ConnectionString);
        string? urls = settings.Urls ?? builder.Configuration["Urls"];
        builder.WebHost.UseUrls(urls is { Length: > 0 } ? urls : UsualUrls);
        if (settings.Role == ServiceRole.Worker)
        {
            builder.Services.AddTelemetry(builder.Configuration);
            WebApplication health = builder.Build();
            health.MapHealth();
            return health;
        }

        builder.AddSeq2SeqApi();
        builder.Services.PostConfigure<AccessOptions>(access => access.SessionFolder ??= database.Folder?.Sessions);
        return builder.Build().MapSeq2SeqApi();
    }

    private static void Configure(IHostApplicationBuilder builder, ServiceSettings settings, string connectionString)
    {
        settings.AddTo(builder.Configuration);
        builder.Logging.ClearProviders();
        ServiceLogging.Configure(builder.Logging, builder.Configuration, settings);
        builder.Services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services =>
            JobsDataSource.Create(connectionString, services.GetRequiredService<ILoggerFactory>())
        );
        builder.Services.AddJobs();
        if (settings.Role != ServiceRole.Api)
        {
            builder.Services.AddJobWorkers();
        }

        builder
            .Services.AddOptions<HostOptions>()
            .Configure<Microsoft.Extensions.Options.IOptions<JobsOptions>>(
                (host, jobs) => host.ShutdownTimeout = jobs.Value.DrainTime + AfterDrain
            );
    }
}
