using System.Globalization;
using Npgsql;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Testing;

/// <summary>
/// The PostgreSQL of a test run, declared once per test assembly (<c>[assembly: AssemblyFixture(typeof(PostgresServer))]</c>):
/// the server that <c>SEQ2SEQ_TEST_POSTGRES</c> names, or a private one that is started when the first test asks. Hands out
/// databases copied from a template that was migrated once. Without any PostgreSQL, tests that need one fail.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    /// <summary>Names a connection string whose user may create databases.</summary>
    public const string ConnectionStringVariable = "SEQ2SEQ_TEST_POSTGRES";

    private readonly string _run = Guid.NewGuid().ToString("N")[..12];
    private readonly SemaphoreSlim _gate = new(1, 1);
    private PostgresCluster? _cluster;
    private string? _connectionString;
    private string? _template;
    private int _databases;

    /// <summary>Connection string of the server itself (its maintenance database).</summary>
    public async Task<string> GetConnectionStringAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return await StartAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>A new migrated database.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            string server = await StartAsync(cancellationToken);
            if (_template is null)
            {
                string template = $"seq2seq_template_{_run}";
                await Migrator.MigrateAsync(WithDatabase(server, template), cancellationToken);
                _template = template;
            }

            string name = NextName();
            await ExecuteAsync(server, $"CREATE DATABASE {name} TEMPLATE {_template}", cancellationToken);
            return WithDatabase(server, name);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Connection string of a database that does not exist yet.</summary>
    public async Task<string> NameAbsentDatabaseAsync(CancellationToken cancellationToken) =>
        WithDatabase(await GetConnectionStringAsync(cancellationToken), NextName());

    /// <summary>Drops a database, whoever is connected to it.</summary>
    public async Task DropDatabaseAsync(string connectionString, CancellationToken cancellationToken)
    {
        string name = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        string server = await GetConnectionStringAsync(cancellationToken);
        await ExecuteAsync(server, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)", cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
        else if (_template is not null)
        {
            string drop = $"DROP DATABASE IF EXISTS {_template} WITH (FORCE)";
            await ExecuteAsync(_connectionString!, drop, CancellationToken.None);
        }

        _gate.Dispose();
    }

    private async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        if (_connectionString is not null)
        {
            return _connectionString;
        }

        string? given = Environment.GetEnvironmentVariable(ConnectionStringVariable);
        if (string.IsNullOrEmpty(given))
        {
            _cluster = await PostgresCluster.StartAsync(cancellationToken);
        }

        return _connectionString = _cluster?.ConnectionString ?? given!;
    }

    private string NextName() =>
        string.Create(CultureInfo.InvariantCulture, $"seq2seq_test_{_run}_{Interlocked.Increment(ref _databases)}");

    private static string WithDatabase(string connectionString, string database) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Database = database }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql, CancellationToken cancellationToken)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(unpooled.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
