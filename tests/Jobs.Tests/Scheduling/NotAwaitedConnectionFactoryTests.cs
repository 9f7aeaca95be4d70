using Npgsql;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class NotAwaitedConnectionFactoryTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_connections_do_not_wait_for_the_disk_and_keep_the_other_settings()
    {
        var factory = new NotAwaitedConnectionFactory(database.DataSource);

        await using var connection = factory.GetOrCreateConnection();
        await connection.OpenAsync(Cancellation);

        (await ShowAsync(connection, "synchronous_commit")).Should().Be("off");
        (await ShowAsync(connection, "application_name")).Should().Be("seq2seq");
        connection.Database.Should().Be(new NpgsqlConnectionStringBuilder(database.ConnectionString).Database);
    }

    [Fact]
    public async Task A_password_reaches_its_connections()
    {
        await database.ExecuteAsync(
            "DO $$ BEGIN CREATE ROLE locked LOGIN PASSWORD 'key'; EXCEPTION WHEN duplicate_object THEN END $$"
        );
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Username = "locked",
            Password = "key",
        };
        await using var dataSource = NpgsqlDataSource.Create(settings.ConnectionString);
        var factory = new NotAwaitedConnectionFactory(dataSource);

        await using var connection = factory.GetOrCreateConnection();
        await connection.OpenAsync(Cancellation);
        var shown = new NpgsqlConnectionStringBuilder(connection.ConnectionString);

        shown.Password.Should().BeNull();
        (await ShowAsync(connection, "synchronous_commit")).Should().Be("off");
    }

    private static async Task<object?> ShowAsync(NpgsqlConnection connection, string setting)
    {
        await using var command = new NpgsqlCommand($"SHOW {setting}", connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
