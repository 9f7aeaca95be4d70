using Npgsql;
using Seq2Seq.Api.EmbeddedPostgres;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Api.Hosting;

/// <summary>
/// The database of a service process, at this version: the configured one (<c>ConnectionStrings:Jobs</c>), or the service's own
/// PostgreSQL, which runs as long as this object lives. A worker without either joins the one that runs on its data folder.
/// A server that can't be reached, has no connection free or is starting is waited for; any other refusal ends the start.
/// </summary>
internal sealed partial class ServiceDatabase : IAsyncDisposable
{
    private const string ConnectionName = "Jobs";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly EmbeddedPostgresServer? _own;

    private ServiceDatabase(string connectionString, DataFolder? folder, EmbeddedPostgresServer? own)
    {
        ConnectionString = connectionString;
        Folder = folder;
        _own = own;
    }

    public string ConnectionString { get; }

    /// <summary>The data folder of the service's own PostgreSQL; null when a database is configured.</summary>
    public DataFolder? Folder { get; }

    /// <summary>Scripts that were applied now.</summary>
    public IReadOnlyList<string> Migrated { get; private set; } = [];

    /// <summary>For a process of the service.</summary>
    public static Task<ServiceDatabase> OpenAsync(
        IConfiguration configuration,
        ServiceRole role,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    ) => OpenAsync(configuration, _ => role == ServiceRole.Worker, loggers, cancellationToken);

    /// <summary>For a command beside the service, which may run or not.</summary>
    public static Task<ServiceDatabase> OpenBesideAsync(
        IConfiguration configuration,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    ) => OpenAsync(configuration, EmbeddedPostgresServer.IsRunning, loggers, cancellationToken);

    private static async Task<ServiceDatabase> OpenAsync(
        IConfiguration configuration,
        Func<EmbeddedPostgresOptions, bool> joins,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    )
    {
        ServiceDatabase database = await FindAsync(configuration, joins, loggers, cancellationToken);
        try
        {
            database.Migrated = await MigrateAsync(
                database.ConnectionString,
                loggers.CreateLogger<ServiceDatabase>(),
                cancellationToken
            );
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<IReadOnlyList<string>> MigrateAsync(
        string connectionString,
        ILogger<ServiceDatabase> logger,
        CancellationToken cancellationToken
    )
    {
        bool waited = false;
        while (true)
        {
            try
            {
                IReadOnlyList<string> migrated = await Migrator.MigrateAsync(connectionString, cancellationToken);
                if (waited)
                {
                    LogFound(logger);
                }

                return migrated;
            }
            catch (NpgsqlException exception) when (exception.IsTransient)
            {
                if (!waited)
                {
                    LogWaiting(logger, exception.Message);
                }

                waited = true;
                await Task.Delay(RetryDelay, cancellationToken);
            }
        }
    }

    private static async Task<ServiceDatabase> FindAsync(
        IConfiguration configuration,
        Func<EmbeddedPostgresOptions, bool> joins,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    )
    {
        if (configuration.GetConnectionString(ConnectionName) is { Length: > 0 } configured)
        {
            return new ServiceDatabase(configured, folder: null, own: null);
        }

        var options = new EmbeddedPostgresOptions();
        configuration.GetSection(EmbeddedPostgresOptions.SectionName).Bind(options);
        if (joins(options))
        {
            return new ServiceDatabase(
                await EmbeddedPostgresServer.JoinAsync(options, TimeProvider.System, cancellationToken),
                DataFolder.Of(options),
                own: null
            );
        }

        EmbeddedPostgresServer server = await EmbeddedPostgresServer.StartAsync(
            options,
            TimeProvider.System,
            loggers.CreateLogger<EmbeddedPostgresServer>(),
            cancellationToken
        );
        return new ServiceDatabase(server.ConnectionString, DataFolder.Of(options), server);
    }

    [LoggerMessage(3030, LogLevel.Warning, "The database does not answer yet; waiting for it: {Reason}")]
    private static partial void LogWaiting(ILogger logger, string reason);

    [LoggerMessage(3031, LogLevel.Information, "The database answers")]
    private static partial void LogFound(ILogger logger);
}
