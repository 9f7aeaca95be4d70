using Hangfire;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Storage;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Tests;

/// <summary>
/// A whole worker process's services in this process, on a real database; only the models are <see cref="TestModel"/>s.
/// </summary>
internal sealed class TestWorker : IAsyncDisposable
{
    public const string Model = "words";

    public const string BundledModelFolder = "Data/english-tts";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private static readonly Lazy<IGlobalConfiguration> _hangfire = new(() =>
    {
        HangfireStorage.Configure(GlobalConfiguration.Configuration);
        return GlobalConfiguration.Configuration;
    });

    private readonly IHost _host;

    private TestWorker(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    /// <summary>One model, of the name <see cref="Model"/>.</summary>
    public static Task<TestWorker> StartAsync(
        TestDatabase database,
        TestModel model,
        params (string Key, string Value)[] settings
    ) => StartAsync(database, new Dictionary<string, TestModel>(StringComparer.Ordinal) { [Model] = model }, settings);

    /// <summary>One model, of the name <see cref="Model"/>, and a clock of the test's own.</summary>
    public static Task<TestWorker> StartAsync(
        TestDatabase database,
        TestModel model,
        TimeProvider time,
        params (string Key, string Value)[] settings
    ) =>
        StartAsync(
            Create(
                database,
                (options, _) => model.Load(options),
                [($"{ModelOptions.SectionName}:{Model}:Folder", Model), .. settings],
                time
            )
        );

    /// <summary>The bundled model, of the name <see cref="Model"/>, as the engine loads it.</summary>
    public static Task<TestWorker> StartBundledAsync(
        TestDatabase database,
        params (string Key, string Value)[] settings
    ) => StartAsync(Create(database, LoadedModel.Load, [($"Models:{Model}:Folder", BundledModelFolder), .. settings]));

    /// <param name="database">Where its jobs are.</param>
    /// <param name="models">The models it loads, by name.</param>
    /// <param name="settings">Settings that differ from the tests' own.</param>
    public static Task<TestWorker> StartAsync(
        TestDatabase database,
        IReadOnlyDictionary<string, TestModel> models,
        params (string Key, string Value)[] settings
    ) => StartAsync(Create(database, models, settings));

    private static async Task<TestWorker> StartAsync(TestWorker worker)
    {
        await worker._host.StartAsync(TestContext.Current.CancellationToken);
        var readiness = worker.Services.GetRequiredService<WorkerReadiness>();
        await Eventually.HoldsAsync(
            () => Task.FromResult(readiness.Slots.All(slot => slot.State != "loading")),
            _patience,
            "every slot has loaded"
        );
        return worker;
    }

    /// <summary>The services, not started.</summary>
    public static TestWorker Create(
        TestDatabase database,
        IReadOnlyDictionary<string, TestModel> models,
        params (string Key, string Value)[] settings
    ) =>
        Create(
            database,
            (options, _) => models[Path.GetFileName(options.Folder)].Load(options),
            [.. models.Keys.Select(name => ($"{ModelOptions.SectionName}:{name}:Folder", name)), .. settings]
        );

    private static TestWorker Create(
        TestDatabase database,
        LoadModel load,
        IReadOnlyList<(string Key, string Value)> settings,
        TimeProvider? time = null
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                [$"{SlotOptions.SectionName}:0:Device"] = "cpu:0",
                [$"{JobsOptions.SectionName}:Lease"] = "00:00:03",
                [$"{JobsOptions.SectionName}:RetryDelay"] = "00:00:00.010",
                [$"{JobsOptions.SectionName}:DrainTime"] = "00:00:02",
            }
        );
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.Logging.AddProvider(new TestLog()).SetMinimumLevel(LogLevel.Information);
        builder.Logging.AddFilter("Hangfire", LogLevel.Warning);
        builder.Services.AddSingleton(JobsDataSource.Create(database.ConnectionString, loggerFactory: null));
        builder.Services.AddSingleton(load);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddJobs();
        builder.Services.AddJobWorkers();
        // Hangfire's log is one for the whole process: this host's would be closed under the others.
        builder.Services.AddSingleton<IGlobalConfiguration>(_ => _hangfire.Value);
        return new TestWorker(builder.Build());
    }

    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    public Task StopAsync() => _host.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _host.Dispose();
    }
}
