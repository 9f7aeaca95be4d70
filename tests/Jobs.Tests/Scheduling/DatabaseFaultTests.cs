using Npgsql;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class DatabaseFaultTests(TestDatabase database, PostgresServer server) : IClassFixture<TestDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task When_every_connection_is_cut_again_and_again_each_line_is_still_answered_once()
    {
        var model = new TestModel { BeforeBatch = (_, token) => Task.Delay(30, token) };
        await using var worker = await TestWorker.StartAsync(database, model, ("Slots:1:Device", "cpu:1"));
        var job = await database.InsertJobAsync(TestWorker.Model, shards: 150, linesPerShard: 2);
        await using var saboteur = new NpgsqlConnection(await server.GetConnectionStringAsync(Cancellation));
        await saboteur.OpenAsync(Cancellation);
        string name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database!;

        int cut = 0;
        for (int i = 0; i < 8; i++)
        {
            await Task.Delay(150, Cancellation);
            await using var command = new NpgsqlCommand(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1",
                saboteur
            );
            command.Parameters.Add(new NpgsqlParameter { Value = name });
            cut += (int)(long)(await command.ExecuteScalarAsync(Cancellation))!;
        }

        cut.Should().BeGreaterThan(8);
        NpgsqlConnection.ClearAllPools();
        database.DataSource.Clear();
        await database.ShouldHaveEveryAnswerAsync(job, lines: 300);
        // A shard's lease is given up a moment after its results are written.
        await Eventually.HoldsAsync(
            () => Task.FromResult(worker.Get<RunningShards>().Count == 0),
            TimeSpan.FromSeconds(10),
            "no shard runs"
        );
    }

    [Fact]
    public async Task While_the_database_refuses_connections_results_wait_and_are_then_written()
    {
        var model = new TestModel { BeforeBatch = (_, token) => Task.Delay(1000, token) };
        await using var worker = await TestWorker.StartAsync(database, model);
        var job = await database.InsertJobAsync(TestWorker.Model, shards: 3, linesPerShard: 2);
        await Eventually.HoldsAsync(
            async () => await database.CountShardsAsync(job, "running") > 0,
            TimeSpan.FromSeconds(10),
            "a shard runs"
        );
        await using var saboteur = new NpgsqlConnection(await server.GetConnectionStringAsync(Cancellation));
        await saboteur.OpenAsync(Cancellation);
        string name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database!;

        await ExecuteAsync(saboteur, $"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        await ExecuteAsync(
            saboteur,
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        // Longer than a lease and than the work takes.
        await Task.Delay(TimeSpan.FromSeconds(5), Cancellation);
        await ExecuteAsync(saboteur, $"ALTER DATABASE {name} ALLOW_CONNECTIONS true");

        database.DataSource.Clear();
        await database.ShouldHaveEveryAnswerAsync(job, lines: 6);
        model.Lines.Should().Be(6);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
