using Npgsql;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Storage.Tests;

public sealed class MigratorTests(PostgresServer server)
{
    private static readonly MigrationScript _first = new("0001_first", "CREATE TABLE first (id int)");
    private static readonly MigrationScript _second = new("0002_second", "CREATE TABLE second (id int)");
    private static readonly MigrationScript _broken = new("0003_broken", "CREATE TABLE third (id int); SELECT nothing");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_absent_database_is_created_and_migrated_once()
    {
        string database = await server.NameAbsentDatabaseAsync(Cancellation);

        var applied = await Migrator.MigrateAsync(database, Cancellation);
        var again = await Migrator.MigrateAsync(database, Cancellation);

        applied.Should().Equal(MigrationScript.All.Select(script => script.Name)).And.StartWith("0001_jobs");
        again.Should().BeEmpty();
        await server.DropDatabaseAsync(database, Cancellation);
    }

    [Fact]
    public async Task Hangfire_has_its_schema_afterwards()
    {
        string database = await server.CreateDatabaseAsync(Cancellation);

        (await CountAsync(database, "SELECT count(*) FROM hangfire.job")).Should().Be(0);
        await server.DropDatabaseAsync(database, Cancellation);
    }

    [Fact]
    public async Task Ten_that_start_at_once_on_no_database_apply_every_script_once()
    {
        string database = await server.NameAbsentDatabaseAsync(Cancellation);

        var applied = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(_ => Task.Run(() => Migrator.MigrateAsync(database, Cancellation)))
        );

        applied.SelectMany(names => names).Should().Equal(MigrationScript.All.Select(script => script.Name));
        await server.DropDatabaseAsync(database, Cancellation);
    }

    [Fact]
    public async Task A_later_version_applies_only_what_is_new()
    {
        string database = await server.NameAbsentDatabaseAsync(Cancellation);

        await Migrator.MigrateAsync(database, [_first], Cancellation);
        var applied = await Migrator.MigrateAsync(database, [_first, _second], Cancellation);

        applied.Should().Equal("0002_second");
        await server.DropDatabaseAsync(database, Cancellation);
    }

    [Fact]
    public async Task A_changed_script_is_an_error_that_names_it()
    {
        string database = await server.NameAbsentDatabaseAsync(Cancellation);
        await Migrator.MigrateAsync(database, [_first], Cancellation);

        var changed = new MigrationScript(_first.Name, "CREATE TABLE first (id bigint)");
        var migrate = () => Migrator.MigrateAsync(database, [changed, _second], Cancellation);

        var error = (await migrate.Should().ThrowAsync<MigrationException>()).Which;
        error.Code.Should().Be("migration_changed");
        error.Message.Should().Contain("0001_first");
        (await CountAsync(database, "SELECT count(*) FROM schema_migration")).Should().Be(1);
        await server.DropDatabaseAsync(database, Cancellation);
    }

    [Fact]
    public async Task A_failing_script_leaves_the_database_as_it_was()
    {
        string database = await server.NameAbsentDatabaseAsync(Cancellation);
        await Migrator.MigrateAsync(database, [_first], Cancellation);

        var migrate = () => Migrator.MigrateAsync(database, [_first, _second, _broken], Cancellation);

        var error = (await migrate.Should().ThrowAsync<MigrationException>()).Which;
        error.Code.Should().Be("migration_failed");
        error.Message.Should().Contain("0003_broken").And.Contain("nothing");
        (await CountAsync(database, "SELECT count(*) FROM pg_tables WHERE tablename IN ('second', 'third')"))
            .Should()
            .Be(0);
        await server.DropDatabaseAsync(database, Cancellation);
    }

    [Fact]
    public void The_checksum_does_not_depend_on_line_ends()
    {
        new MigrationScript("x", "a\r\nb\r\n").Checksum.Should().Be(new MigrationScript("x", "a\nb\n").Checksum);
    }

    private static async Task<long> CountAsync(string connectionString, string sql)
    {
        await using var dataSource = NpgsqlDataSource.Create(connectionString);
        await using var command = dataSource.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
