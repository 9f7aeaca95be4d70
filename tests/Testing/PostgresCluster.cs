using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Seq2Seq.Testing;

/// <summary>
/// A private PostgreSQL server in a temporary folder, from the newest binaries installed: no TCP port, no durability. Its
/// shell waits on a pipe from this process, so it stops and removes its folder even when this process is killed.
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    private const string User = "postgres";

    // $1 is the folder of the binaries, $2 the cluster's. PostgreSQL refuses to run as root; initdb and postgres drop to its user.
    // The interrupt key reaches the whole process group: the shell must outlive it to clean up.
    private const string Script = """
        set -e
        trap '' INT TERM
        drop=
        if [ "$(id -u)" = 0 ]; then
            chown postgres "$2"
            drop="setpriv --reuid=postgres --regid=postgres --init-groups"
        fi
        chmod 755 "$2"
        $drop "$1/initdb" --pgdata="$2/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$2/log" 2>&1
        $drop "$1/postgres" -D "$2/data" -c listen_addresses= -c unix_socket_directories="$2" -c max_connections=500 \
            -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 \
            </dev/null >>"$2/log" 2>&1 &
        server=$!
        read -r end || true
        kill -INT "$server" 2>/dev/null || true
        wait "$server" || true
        rm -rf "$2"
        """;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    private readonly Process _shell;
    private readonly string _folder;

    private PostgresCluster(Process shell, string folder)
    {
        _shell = shell;
        _folder = folder;
        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = folder,
            Username = User,
            Database = "postgres",
        }.ConnectionString;
    }

    public string ConnectionString { get; }

    /// <exception cref="InvalidOperationException">No PostgreSQL is installed, or it did not start; says what to do.</exception>
    public static async Task<PostgresCluster> StartAsync(CancellationToken cancellationToken)
    {
        string binaries = FindBinaries();
        // Short: a socket's path may have 107 bytes.
        string folder = Directory.CreateTempSubdirectory("seq2seq-pg-").FullName;
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, "sh", binaries, folder])
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        var cluster = new PostgresCluster(Process.Start(start)!, folder);
        try
        {
            await cluster.WaitUntilReadyAsync(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
    }

    private static string FindBinaries()
    {
        const string root = "/usr/lib/postgresql";
        string? newest = null;
        if (Directory.Exists(root))
        {
            newest = Directory
                .EnumerateDirectories(root)
                .Where(version => File.Exists(Path.Combine(version, "bin", "postgres")))
                .OrderByDescending(MajorVersion)
                .FirstOrDefault();
        }

        return newest is null
            ? throw new InvalidOperationException(
                $"These tests need PostgreSQL, and {root}/*/bin has none: install it (apt-get install postgresql), or set "
                    + $"{PostgresServer.ConnectionStringVariable} to the connection string of a server."
            )
            : Path.Combine(newest, "bin");
    }

    private static int MajorVersion(string folder) =>
        int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int version)
            ? version
            : 0;

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false };
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(unpooled.ConnectionString);
                await connection.OpenAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException) when (!_shell.HasExited && waited.Elapsed < _patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
            }
            catch (NpgsqlException exception)
            {
                string log = Path.Combine(_folder, "log");
                string said = File.Exists(log) ? await File.ReadAllTextAsync(log, cancellationToken) : "";
                throw new InvalidOperationException($"PostgreSQL did not start in {_folder}:\n{said}", exception);
            }
        }
    }
}
