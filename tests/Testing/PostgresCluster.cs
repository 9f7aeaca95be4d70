using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Seq2Seq.Testing;

/// <summary>
/// A private PostgreSQL server in a temporary folder, from the newest binaries installed: no TCP port and no durability unless
/// <see cref="PostgresClusterOptions"/> say otherwise. Its shell waits on a pipe from this process, so it stops and removes its
/// folder even when this process is killed.
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    private const string User = "postgres";

    // $1 is the folder of the binaries, $2 the cluster's, $3 the size of its disk or nothing, $4 a network to let in or
    // nothing; the rest goes to the server. Each line that is read is a signal that ends the server, which then starts again. PostgreSQL refuses to run as root; initdb and
    // postgres drop to its user. The interrupt key reaches the whole process group: the shell must outlive it to clean up.
    private const string Script = """
        set -e
        trap '' INT TERM
        binaries=$1 folder=$2 disk=$3 network=$4
        shift 4
        drop=
        mkdir "$folder/data"
        [ -z "$disk" ] || mount -t tmpfs -o "size=$disk" seq2seq-test "$folder/data"
        if [ "$(id -u)" = 0 ]; then
            chown postgres "$folder" "$folder/data"
            drop="setpriv --reuid=postgres --regid=postgres --init-groups"
        fi
        chmod 755 "$folder"
        chmod 700 "$folder/data"
        $drop "$binaries/initdb" --pgdata="$folder/data" --waldir="$folder/wal" --username=postgres --auth=trust \
            --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$folder/log" 2>&1
        [ -z "$network" ] || echo "host all all $network trust" >>"$folder/data/pg_hba.conf"
        start() {
            $drop "$binaries/postgres" -D "$folder/data" -c unix_socket_directories="$folder" \
                -c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 \
                "$@" </dev/null >>"$folder/log" 2>&1 &
            server=$!
        }
        start "$@"
        while read -r signal; do
            kill "-$signal" "$server" 2>/dev/null || true
            wait "$server" || true
            start "$@"
        done
        # Until it has heard: it begins with the signal ignored, as this shell has it.
        (while kill -INT "$server" 2>/dev/null; do sleep 1; done) &
        wait "$server" || true
        [ -z "$disk" ] || umount "$folder/data"
        rm -rf "$folder"
        """;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    private readonly Process _shell;
    private readonly string _folder;

    private PostgresCluster(Process shell, string folder, int? port)
    {
        _shell = shell;
        _folder = folder;
        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = folder,
            Port = port ?? PostgresClusterOptions.UsualPort,
            Username = User,
            Database = "postgres",
        }.ConnectionString;
    }

    public string ConnectionString { get; }

    /// <summary>The folder of its tables, a file system of its own when the disk is limited.</summary>
    public string DataFolder => Path.Combine(_folder, "data");

    public static Task<PostgresCluster> StartAsync(CancellationToken cancellationToken) =>
        StartAsync(new PostgresClusterOptions(), cancellationToken);

    /// <exception cref="InvalidOperationException">No PostgreSQL is installed, or it did not start; says what to do.</exception>
    public static async Task<PostgresCluster> StartAsync(
        PostgresClusterOptions options,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        string binaries = FindBinaries();
        // Short: a socket's path may have 107 bytes.
        string folder = Directory.CreateTempSubdirectory("seq2seq-pg-").FullName;
        var start = new ProcessStartInfo(
            "/bin/sh",
            [
                "-c",
                Script,
                "sh",
                binaries,
                folder,
                options.DiskSize ?? "",
                options.Network ?? "",
                .. options.ToArguments(),
            ]
        )
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        var cluster = new PostgresCluster(Process.Start(start)!, folder, options.Port);
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

    /// <summary>Ends the server with a signal (INT: fast, QUIT: immediate, as in a crash) and starts it again.</summary>
    public async Task RestartAsync(string signal, CancellationToken cancellationToken)
    {
        string? before = await FindStartAsync(cancellationToken);
        await _shell.StandardInput.WriteLineAsync(signal.AsMemory(), cancellationToken);
        await _shell.StandardInput.FlushAsync(cancellationToken);
        do
        {
            await WaitUntilReadyAsync(cancellationToken);
        } while (await FindStartAsync(cancellationToken) is not { } after || after == before);
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

    // Null when it does not answer.
    private async Task<string?> FindStartAsync(CancellationToken cancellationToken)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(unpooled.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT pg_postmaster_start_time()::text", connection);
            return (string?)await command.ExecuteScalarAsync(cancellationToken);
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

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
