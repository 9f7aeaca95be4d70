using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Api.Tests;

/// <summary>
/// The whole service in this process, on Kestrel and a real database; only the model is a <see cref="CapitalsModel"/>. Its log is
/// kept for looking at.
/// </summary>
internal sealed class ApiApplication : IAsyncDisposable
{
    public const string Model = "capitals";

    private readonly WebApplication _app;

    private ApiApplication(WebApplication app, CapitalsModel model, LogLines log)
    {
        _app = app;
        CapitalsModel = model;
        Log = log;
        Address = new Uri(app.Urls.First());
        Client = CreateClient();
    }

    public Uri Address { get; }

    /// <summary>Follows no redirects and keeps no cookies.</summary>
    public HttpClient Client { get; }

    public CapitalsModel CapitalsModel { get; }

    public LogLines Log { get; }

    public IServiceProvider Services => _app.Services;

    /// <param name="connectionString">A migrated database.</param>
    /// <param name="settings">Configuration over the tests' own.</param>
    /// <param name="hasWorkers">Whether jobs are run here.</param>
    public static async Task<ApiApplication> StartAsync(
        string connectionString,
        IEnumerable<KeyValuePair<string, string?>>? settings = null,
        bool hasWorkers = true
    )
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Urls"] = "http://127.0.0.1:0",
                ["Slots:0:Device"] = "cpu:0",
                [$"Models:{Model}:Folder"] = Model,
                ["Jobs:RetryDelay"] = "00:00:00.010",
                ["Jobs:DrainTime"] = "00:00:02",
            }
        );
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        var log = new LogLines();
        builder.Logging.AddProvider(log);
        builder.Services.AddSingleton<ILoggerFactory, LastingLoggerFactory>();
        builder.WebHost.UseKestrel().UseUrls(builder.Configuration["Urls"]!);
        builder.Services.AddRouting();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(JobsDataSource.Create(connectionString, loggerFactory: null));
        var model = new CapitalsModel();
        builder.Services.AddSingleton<LoadModel>(model.Load);
        builder.Services.AddJobs();
        if (hasWorkers)
        {
            builder.Services.AddJobWorkers();
        }

        builder.AddSeq2SeqApi();
        WebApplication app = builder.Build();
        try
        {
            app.MapSeq2SeqApi();
            await app.StartAsync(TestContext.Current.CancellationToken);
            return new ApiApplication(app, model, log);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public HttpClient CreateClient() =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
            }
        )
        {
            BaseAddress = Address,
        };

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    /// <summary>Hangfire logs to the last factory that it was given in this process, so none may be disposed before the others.</summary>
    private sealed class LastingLoggerFactory(
        IEnumerable<ILoggerProvider> providers,
        IOptionsMonitor<LoggerFilterOptions> filters
    ) : ILoggerFactory
    {
        private readonly LoggerFactory _factory = new(providers, filters);

        public ILogger CreateLogger(string categoryName) => _factory.CreateLogger(categoryName);

        public void AddProvider(ILoggerProvider provider) => _factory.AddProvider(provider);

        public void Dispose() { }
    }
}
