using Hangfire.PostgreSql;
using Npgsql;

namespace Seq2Seq.Jobs.Storage;

/// <summary>
/// Brings a database to this version: plain SQL, forward only, checksummed, under an advisory lock. Any number of processes
/// may call it at once. All scripts that are due run in one transaction: the database is at this version, or as it was.
/// Hangfire's own schema is installed under the same lock, because its installer is not safe against itself.
/// </summary>
public static class Migrator
{
    /// <summary>Schema of Hangfire's tables.</summary>
    public const string HangfireSchema = "hangfire";

    // Any number that nobody else locks in this database: "seq2seq" in ASCII.
    private const long LockKey = 0x73657132736571;

    /// <param name="connectionString">The database; it is created when absent and the user may.</param>
    /// <param name="cancellationToken">Ends the waiting for the lock.</param>
    /// <returns>The names of the scripts that were applied now.</returns>
    /// <exception cref="MigrationException">An applied script has changed, a script failed, or the database can't be created.</exception>
    public static Task<IReadOnlyList<string>> MigrateAsync(
        string connectionString,
        CancellationToken cancellationToken
    ) => MigrateAsync(connectionString, MigrationScript.All, cancellationToken);

    internal static async Task<IReadOnlyList<string>> MigrateAsync(
        string connectionString,
        IReadOnlyList<MigrationScript> scripts,
        CancellationToken cancellationToken
    )
    {
        // Unpooled: nothing of this stays behind. Waiting for the lock takes as long as another process migrates.
        var target = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 };
        await using var connection = await OpenOrCreateAsync(target, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockAsync(connection, cancellationToken);
        var applied = await ReadJournalAsync(connection, cancellationToken);
        List<string> names = [];
        foreach (var script in scripts)
        {
            if (!applied.TryGetValue(script.Name, out string? checksum))
            {
                await ApplyAsync(connection, script, cancellationToken);
                names.Add(script.Name);
            }
            else if (checksum != script.Checksum)
            {
                throw new MigrationException(
                    "migration_changed",
                    $"Migration {script.Name} was applied with checksum {checksum}, but this version of the program has it "
                        + $"with {script.Checksum}: applied migrations must not change. Run the version that matches the "
                        + "database, or restore the file and put the change into a new migration."
                );
            }
        }

        await InstallHangfireAsync(target, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return names;
    }

    private static async Task<NpgsqlConnection> OpenOrCreateAsync(
        NpgsqlConnectionStringBuilder target,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await OpenAsync(target.ConnectionString, cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            await CreateDatabaseAsync(target, cancellationToken);
            return await OpenAsync(target.ConnectionString, cancellationToken);
        }
    }

    private static async Task CreateDatabaseAsync(
        NpgsqlConnectionStringBuilder target,
        CancellationToken cancellationToken
    )
    {
        var maintenance = new NpgsqlConnectionStringBuilder(target.ConnectionString) { Database = "postgres" };
        await using var connection = await OpenAsync(maintenance.ConnectionString, cancellationToken);
        string name = new NpgsqlCommandBuilder().QuoteIdentifier(target.Database!);
        try
        {
            await ExecuteAsync(connection, $"CREATE DATABASE {name}", cancellationToken);
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another process was faster. The second code is what a race inside CREATE DATABASE ends in.
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new MigrationException(
                "database_absent",
                $"Database {name} does not exist and user '{target.Username}' may not create it: create it first.",
                exception
            );
        }
    }

    private static async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Of the transaction, not of the session: this holds behind a pooler, too.
        await using var command = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = LockKey });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<Dictionary<string, string>> ReadJournalAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        const string create = """
            CREATE TABLE IF NOT EXISTS schema_migration (
                name       text        NOT NULL,
                checksum   text        NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now(),
                CONSTRAINT schema_migration_pk PRIMARY KEY (name)
            )
            """;
        await ExecuteAsync(connection, create, cancellationToken);
        await using var command = new NpgsqlCommand("SELECT name, checksum FROM schema_migration", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<string, string> applied = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            applied.Add(reader.GetString(0), reader.GetString(1));
        }

        return applied;
    }

    private static async Task ApplyAsync(
        NpgsqlConnection connection,
        MigrationScript script,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await ExecuteAsync(connection, script.Sql, cancellationToken);
        }
        catch (PostgresException exception)
        {
            throw new MigrationException(
                "migration_failed",
                $"Migration {script.Name} failed at character {exception.Position}: {exception.MessageText}. Nothing was changed.",
                exception
            );
        }

        const string journal = "INSERT INTO schema_migration (name, checksum) VALUES ($1, $2)";
        await using var command = new NpgsqlCommand(journal, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = script.Name });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = script.Checksum });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task InstallHangfireAsync(
        NpgsqlConnectionStringBuilder target,
        CancellationToken cancellationToken
    )
    {
        // On a connection of its own, because the installer begins transactions.
        await using var connection = await OpenAsync(target.ConnectionString, cancellationToken);
        PostgreSqlObjectsInstaller.Install(connection, HangfireSchema);
    }

    private static Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken cancellationToken) =>
        JobsDataSource.OpenAsync(new NpgsqlConnection(connectionString), cancellationToken);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
