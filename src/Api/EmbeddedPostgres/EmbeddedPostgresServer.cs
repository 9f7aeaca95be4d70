using System.Globalization;
using Npgsql;

namespace Seq2Seq.Api.EmbeddedPostgres;

/// <summary>
/// The service's own PostgreSQL: made on first use, started and stopped with the service, reachable only through a Unix socket in
/// the data folder and with a password only the service's user can read. A server that a killed service left running is taken
/// over; one that dies is started again. One service owns a data folder; workers of other processes may join it.
/// </summary>
internal sealed partial class EmbeddedPostgresServer : IAsyncDisposable
{
    /// <summary>Longest path of a Unix socket: sun_path has 108 bytes, and one ends it (unix(7)).</summary>
    private const int MaxSocketPathBytes = 107;

    private const string UserName = "seq2seq";
    private const string DatabaseName = "seq2seq";
    private const string SettingsFile = "seq2seq.conf";
    private const long MaxLogBytes = 10 * 1024 * 1024;
    private static readonly TimeSpan SuperviseEvery = TimeSpan.FromSeconds(1);

    private readonly EmbeddedPostgresOptions _options;
    private readonly DataFolder _folder;
    private readonly PostgresAccount _account;
    private readonly PostgresBinaries _binaries;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable _lock;
    private readonly CancellationTokenSource _stopping = new();
    private string _socketFolder = "";
    private Task _supervising = Task.CompletedTask;

    private EmbeddedPostgresServer(
        EmbeddedPostgresOptions options,
        DataFolder folder,
        PostgresBinaries binaries,
        IDisposable folderLock,
        TimeProvider time,
        ILogger logger
    )
    {
        _options = options;
        _folder = folder;
        _account = PostgresAccount.Of(options);
        _binaries = binaries;
        _lock = folderLock;
        _time = time;
        _logger = logger;
    }

    /// <summary>Reaches the server, as its only role.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>Makes the database on first use, and starts the server or takes over the one that runs.</summary>
    /// <exception cref="EmbeddedPostgresException">It can't be; the message says what to change.</exception>
    public static async Task<EmbeddedPostgresServer> StartAsync(
        EmbeddedPostgresOptions options,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        DataFolder folder = DataFolder.Of(options);
        folder.Create();
        IDisposable folderLock = folder.Lock();
        try
        {
            string versionFile = Path.Combine(folder.Cluster, "PG_VERSION");
            string? major = File.Exists(versionFile)
                ? (await File.ReadAllTextAsync(versionFile, cancellationToken)).Trim()
                : null;
            var server = new EmbeddedPostgresServer(
                options,
                folder,
                PostgresBinaries.Find(options.BinaryFolder, major),
                folderLock,
                time,
                logger
            );
            await server._account.MakeFolderAsync(folder.Postgres, cancellationToken);
            if (major is null)
            {
                await server.InitializeAsync(cancellationToken);
            }

            await server.StartOrTakeOverAsync(cancellationToken);
            server._supervising = server.SuperviseAsync(server._stopping.Token);
            return server;
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>Whether some process runs a server on the data folder, to be joined.</summary>
    public static bool IsRunning(EmbeddedPostgresOptions options) =>
        PostmasterFile.ReadLive(DataFolder.Of(options).Cluster) is { IsReady: true };

    /// <summary>The connection string of the server that another process of this user runs on the data folder.</summary>
    /// <exception cref="EmbeddedPostgresException">None runs, or it isn't ours.</exception>
    public static async Task<string> JoinAsync(
        EmbeddedPostgresOptions options,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        DataFolder folder = DataFolder.Of(options);
        long began = time.GetTimestamp();
        while (PostmasterFile.ReadLive(folder.Cluster) is not { IsReady: true })
        {
            if (time.GetElapsedTime(began) > options.StartTimeout)
            {
                throw new EmbeddedPostgresException(
                    $"No seq2seq service runs a database on '{folder.Path}'. Start one there (seq2seq serve), or give a database in ConnectionStrings:Jobs."
                );
            }

            await Task.Delay(SuperviseEvery, time, cancellationToken);
        }

        PostmasterFile running = PostmasterFile.ReadLive(folder.Cluster)!;
        return BuildConnectionString(running, folder.ReadPassword());
    }

    /// <summary>Stops the server: sessions are ended, what was committed is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _supervising;
        CommandOutcome outcome = await RunPgCtlAsync(["stop", "-m", "fast"], CancellationToken.None);
        if (outcome.ExitCode != 0)
        {
            LogStopFailed(outcome.Text);
        }

        DropTemporarySocketFolder();
        _stopping.Dispose();
        _lock.Dispose();
    }

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        LogInitializing(_folder.Cluster, _binaries.Folder);
        // Made aside and moved into place: an interrupted try leaves nothing that looks like a database.
        string fresh = _folder.Cluster + ".new";
        string passwordFile = Path.Combine(_folder.Postgres, "password");
        if (Directory.Exists(fresh))
        {
            Directory.Delete(fresh, recursive: true);
        }

        File.Delete(passwordFile);
        try
        {
            DataFolder.WritePrivate(passwordFile, _folder.MakePassword());
            await _account.GiveAsync(passwordFile, cancellationToken);
            CommandOutcome outcome = await _account.RunAsync(
                _binaries.Initdb,
                [
                    "--pgdata=" + fresh,
                    "--username=" + UserName,
                    "--pwfile=" + passwordFile,
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    // Order and case follow bytes, on every machine alike.
                    "--locale=C",
                    "--data-checksums",
                ],
                cancellationToken
            );
            if (outcome.ExitCode != 0)
            {
                throw new EmbeddedPostgresException($"The database could not be made: {outcome.Text}");
            }

            await File.AppendAllTextAsync(
                Path.Combine(fresh, "postgresql.conf"),
                $"\ninclude = '{SettingsFile}'\n",
                cancellationToken
            );
            Directory.Move(fresh, _folder.Cluster);
        }
        finally
        {
            File.Delete(passwordFile);
        }
    }

    private async Task StartOrTakeOverAsync(CancellationToken cancellationToken)
    {
        if (PostmasterFile.ReadLive(_folder.Cluster) is { } running)
        {
            LogFound(running.ProcessId);
            if (await IsAsConfiguredAsync(running, cancellationToken))
            {
                LogTakenOver(running.ProcessId);
                _socketFolder = running.SocketFolder;
                ConnectionString = BuildConnectionString(running, _folder.ReadPassword());
                return;
            }

            CommandOutcome stop = await RunPgCtlAsync(["stop", "-m", "fast"], cancellationToken);
            if (stop.ExitCode != 0)
            {
                throw new EmbeddedPostgresException(
                    $"The server that a former service left (process {running.ProcessId}) does not stop: {stop.Text}"
                );
            }
        }
        else
        {
            // Left by a killed server; its process id may be a stranger's by now, before whom PostgreSQL would give way.
            File.Delete(PostmasterFile.PathIn(_folder.Cluster));
        }

        await StartServerAsync(cancellationToken);
    }

    private async Task<bool> IsAsConfiguredAsync(PostmasterFile running, CancellationToken cancellationToken)
    {
        string wanted = PostgresSettings.Write(running.SocketFolder, _options.Settings);
        string settings = Path.Combine(_folder.Cluster, SettingsFile);
        if (!File.Exists(settings) || await File.ReadAllTextAsync(settings, cancellationToken) != wanted)
        {
            return false;
        }

        try
        {
            var builder = new NpgsqlConnectionStringBuilder(BuildConnectionString(running, _folder.ReadPassword()))
            {
                Database = "postgres",
                Pooling = false,
                Timeout = 10,
            };
            await using var connection = new NpgsqlConnection(builder.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        await MakeSocketFolderAsync(cancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(_folder.Cluster, SettingsFile),
            PostgresSettings.Write(_socketFolder, _options.Settings),
            cancellationToken
        );
        KeepLogSmall();
        // pg_ctl starts the server in a session of its own: an interrupt at the terminal reaches us, and we stop it in order.
        CommandOutcome outcome = await RunPgCtlAsync(["start", "-l", _folder.ServerLog], cancellationToken);
        if (outcome.ExitCode != 0 || PostmasterFile.ReadLive(_folder.Cluster) is not { } running)
        {
            throw new EmbeddedPostgresException($"PostgreSQL did not start: {LogTail() ?? outcome.Text}");
        }

        ConnectionString = BuildConnectionString(running, _folder.ReadPassword());
        LogStarted(running.ProcessId, running.SocketFolder);
    }

    /// <summary>In the data folder, or, where that path is too long for a socket, in a temporary folder.</summary>
    private async Task MakeSocketFolderAsync(CancellationToken cancellationToken)
    {
        DropTemporarySocketFolder();
        string usual = Path.Combine(_folder.Postgres, "run");
        string socket = Path.Combine(usual, ".s.PGSQL." + PostgresSettings.Port.ToString(CultureInfo.InvariantCulture));
        _socketFolder =
            System.Text.Encoding.UTF8.GetByteCount(socket) <= MaxSocketPathBytes
                ? usual
                : Directory.CreateTempSubdirectory("seq2seq-").FullName;
        await _account.MakeFolderAsync(_socketFolder, cancellationToken);
    }

    private void DropTemporarySocketFolder()
    {
        if (
            _socketFolder.Length > 0
            && !_socketFolder.StartsWith(_folder.Path, StringComparison.Ordinal)
            && Directory.Exists(_socketFolder)
        )
        {
            Directory.Delete(_socketFolder, recursive: true);
        }
    }

    private async Task SuperviseAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(SuperviseEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                if (PostmasterFile.ReadLive(_folder.Cluster) is not null)
                {
                    continue;
                }

                LogDied();
                try
                {
                    await StartOrTakeOverAsync(cancellationToken);
                }
                catch (Exception e) when (e is EmbeddedPostgresException or IOException)
                {
                    // Such as: its orphans still hold its memory. The next tick tries again.
                    LogRestartFailed(e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private Task<CommandOutcome> RunPgCtlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        _account.RunAsync(
            _binaries.PgCtl,
            [
                .. arguments,
                "-D",
                _folder.Cluster,
                "-w",
                "-t",
                ((int)_options.StartTimeout.TotalSeconds).ToString(CultureInfo.InvariantCulture),
            ],
            cancellationToken
        );

    private static string BuildConnectionString(PostmasterFile running, string password) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = running.SocketFolder,
            Port = running.Port,
            Username = UserName,
            Password = password,
            Database = DatabaseName,
        }.ConnectionString;

    private void KeepLogSmall()
    {
        var log = new FileInfo(_folder.ServerLog);
        if (log.Exists && log.Length > MaxLogBytes)
        {
            log.MoveTo(_folder.ServerLog + ".old", overwrite: true);
        }
    }

    private string? LogTail()
    {
        try
        {
            return string.Join(" | ", File.ReadLines(_folder.ServerLog).TakeLast(5));
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LoggerMessage(
        3100,
        LogLevel.Information,
        "Making a database in {Folder} with PostgreSQL's programs in {Binaries}"
    )]
    private partial void LogInitializing(string folder, string binaries);

    [LoggerMessage(3101, LogLevel.Information, "PostgreSQL runs: process {ProcessId}, socket in {SocketFolder}")]
    private partial void LogStarted(int processId, string socketFolder);

    [LoggerMessage(3102, LogLevel.Information, "A former service left PostgreSQL running: process {ProcessId}")]
    private partial void LogFound(int processId);

    [LoggerMessage(3103, LogLevel.Information, "Took over PostgreSQL: process {ProcessId}")]
    private partial void LogTakenOver(int processId);

    [LoggerMessage(3104, LogLevel.Warning, "PostgreSQL is gone; starting it again")]
    private partial void LogDied();

    [LoggerMessage(3105, LogLevel.Error, "PostgreSQL could not be started again, trying on: {Reason}")]
    private partial void LogRestartFailed(string reason);

    [LoggerMessage(3106, LogLevel.Error, "PostgreSQL did not stop in order: {Reason}")]
    private partial void LogStopFailed(string reason);
}
