using Npgsql;
using Seq2Seq.Jobs.Storage;
using Xunit;

namespace Seq2Seq.Testing;

/// <summary>A migrated database of one test class (<c>IClassFixture&lt;TestDatabase&gt;</c>), dropped after it.</summary>
public sealed class TestDatabase(PostgresServer server) : IAsyncLifetime
{
    public string ConnectionString { get; private set; } = "";

    public NpgsqlDataSource DataSource { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await server.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        DataSource = JobsDataSource.Create(ConnectionString, loggerFactory: null);
    }

    /// <summary>Runs one statement; <c>$1</c> and on are the parameters.</summary>
    public async Task<int> ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = DataSource.CreateCommand(sql);
        Bind(command, parameters);
        return await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The first column of the first row.</summary>
    public async Task<T> ScalarAsync<T>(string sql, params object[] parameters)
    {
        await using var command = DataSource.CreateCommand(sql);
        Bind(command, parameters);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await server.DropDatabaseAsync(ConnectionString, CancellationToken.None);
    }

    private static void Bind(NpgsqlCommand command, object[] parameters)
    {
        foreach (object parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }
    }
}
