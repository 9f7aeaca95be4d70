using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Seq2Seq.Api.EmbeddedPostgres;

namespace Seq2Seq.Api.Tests.EmbeddedPostgres;

public sealed class EmbeddedPostgresServerTests : IDisposable
{
    private readonly string _folder = MakeFolder();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_first_start_makes_a_database_that_listens_on_no_port_and_opens_with_its_password_alone()
    {
        await using EmbeddedPostgresServer server = await StartAsync();

        (await AskAsync(server.ConnectionString, "SHOW listen_addresses")).Should().Be("");
        (await AskAsync(server.ConnectionString, "SHOW server_encoding")).Should().Be("UTF8");
        File.GetUnixFileMode(Path.Combine(_folder, "postgres.password"))
            .Should()
            .Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Password = "guess",
        }.ConnectionString;
        (await FluentActions.Awaiting(() => AskAsync(wrong, "SELECT 1")).Should().ThrowAsync<PostgresException>())
            .Which.SqlState.Should()
            .Be(PostgresErrorCodes.InvalidPassword);
    }

    [Fact]
    public async Task Data_survives_a_stop()
    {
        await using (EmbeddedPostgresServer first = await StartAsync())
        {
            await AskAsync(first.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS answer");
        }

        PostmasterFile.ReadLive(Cluster).Should().BeNull();
        await using EmbeddedPostgresServer second = await StartAsync();
        (await AskAsync(second.ConnectionString, "SELECT answer FROM kept")).Should().Be(42);
    }

    [Fact]
    public async Task A_server_that_is_killed_is_started_again()
    {
        await using EmbeddedPostgresServer server = await StartAsync();
        int before = PostmasterFile.ReadLive(Cluster)!.ProcessId;

        using (var process = Process.GetProcessById(before))
        {
            process.Kill();
        }

        await UntilAsync(() => PostmasterFile.ReadLive(Cluster) is { IsReady: true } file && file.ProcessId != before);
        (await AskAsync(server.ConnectionString, "SELECT 1")).Should().Be(1);
    }

    [Fact]
    public async Task A_pid_file_that_names_a_strangers_process_does_not_hinder_the_start()
    {
        await using (EmbeddedPostgresServer first = await StartAsync()) { }
        await File.WriteAllTextAsync(
            Path.Combine(Cluster, "postmaster.pid"),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Environment.ProcessId}\n{Cluster}\n1700000000\n5499\n/tmp\n\n\nready\n"
            ),
            Cancelled
        );

        PostmasterFile.ReadLive(Cluster).Should().BeNull();
        await using EmbeddedPostgresServer second = await StartAsync();
        (await AskAsync(second.ConnectionString, "SELECT 1")).Should().Be(1);
    }

    [Fact]
    public async Task An_interrupted_first_start_is_begun_anew()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "postgres", "data.new", "base"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "postgres", "data.new", "PG_VERSION"), "15\n", Cancelled);

        await using EmbeddedPostgresServer server = await StartAsync();

        (await AskAsync(server.ConnectionString, "SELECT 1")).Should().Be(1);
        Directory.Exists(Path.Combine(_folder, "postgres", "data.new")).Should().BeFalse();
    }

    [Fact]
    public async Task A_second_service_on_the_folder_is_told_who_has_it()
    {
        await using EmbeddedPostgresServer first = await StartAsync();

        (await FluentActions.Awaiting(() => StartAsync()).Should().ThrowAsync<EmbeddedPostgresException>())
            .Which.Message.Should()
            .StartWith(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Data folder '{_folder}' is in use by another seq2seq service (process {Environment.ProcessId})."
                )
            );
    }

    [Fact]
    public async Task A_worker_of_another_process_joins_the_running_server()
    {
        await using EmbeddedPostgresServer server = await StartAsync();

        string joined = await EmbeddedPostgresServer.JoinAsync(Options(), TimeProvider.System, Cancelled);

        (await AskAsync(joined, "SELECT 1")).Should().Be(1);
    }

    [Fact]
    public async Task Joining_where_none_runs_says_so()
    {
        EmbeddedPostgresOptions options = Options();
        options.StartTimeout = TimeSpan.Zero;

        await FluentActions
            .Awaiting(() => EmbeddedPostgresServer.JoinAsync(options, TimeProvider.System, Cancelled))
            .Should()
            .ThrowAsync<EmbeddedPostgresException>()
            .WithMessage($"No seq2seq service runs a database on '{_folder}'.*");
    }

    [Fact]
    public async Task A_folder_too_deep_for_a_socket_works_all_the_same()
    {
        EmbeddedPostgresOptions options = Options();
        options.DataFolder = Path.Combine(_folder, new string('d', 90), "data");
        string socketFolder;
        await using (EmbeddedPostgresServer server = await StartAsync(options))
        {
            (await AskAsync(server.ConnectionString, "SELECT 1")).Should().Be(1);
            socketFolder = new NpgsqlConnectionStringBuilder(server.ConnectionString).Host!;
        }

        Directory.Exists(socketFolder).Should().BeFalse();
    }

    [Fact]
    public async Task The_operators_settings_hold_over_ours()
    {
        EmbeddedPostgresOptions options = Options();
        options.Settings["work_mem"] = "12MB";

        await using EmbeddedPostgresServer server = await StartAsync(options);

        (await AskAsync(server.ConnectionString, "SHOW work_mem")).Should().Be("12MB");
    }

    [Fact]
    public async Task A_setting_that_PostgreSQL_refuses_is_named()
    {
        EmbeddedPostgresOptions options = Options();
        options.Settings["shared_buffer"] = "1GB";

        await FluentActions
            .Awaiting(() => StartAsync(options))
            .Should()
            .ThrowAsync<EmbeddedPostgresException>()
            .WithMessage("PostgreSQL did not start: *shared_buffer*");
    }

    private string Cluster => Path.Combine(_folder, "postgres", "data");

    private EmbeddedPostgresOptions Options() => new() { DataFolder = _folder };

    private Task<EmbeddedPostgresServer> StartAsync(EmbeddedPostgresOptions? options = null) =>
        EmbeddedPostgresServer.StartAsync(options ?? Options(), TimeProvider.System, NullLogger.Instance, Cancelled);

    private static async Task<object?> AskAsync(string connectionString, string sql)
    {
        // The database of jobs is made by the migrator; a bare server has this one.
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Database = "postgres", Pooling = false };
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancelled);
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!holds())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }

    // Temporary folders are closed to others, and PostgreSQL runs as another user when the tests run as root.
    private static string MakeFolder()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("seq2seq-test-");
        File.SetUnixFileMode(
            folder.FullName,
            UnixFileMode.UserRead
                | UnixFileMode.UserWrite
                | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute
                | UnixFileMode.OtherExecute
        );
        return folder.FullName;
    }
}
