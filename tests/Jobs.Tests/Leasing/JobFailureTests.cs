using Npgsql;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

public sealed class JobFailureTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal) { ["m"] = new() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_is_late_fails_and_keeps_the_results_it_has()
    {
        await using var worker = TestWorker.Create(database, _models);
        var late = await database.InsertJobAsync("m", shards: 3);
        var timely = await database.InsertJobAsync("m");
        await CompleteAsync(worker, late);
        var running = await TakeAsync(worker, late, firstLine: 3);
        await database.ExecuteAsync("UPDATE job SET deadline = now() WHERE id = $1", late);
        await database.ExecuteAsync("UPDATE job SET deadline = now() + interval '1 hour' WHERE id = $1", timely);

        (await worker.Get<JobFailure>().FailLateAsync(Cancellation)).Should().Be(1);
        (await worker.Get<JobFailure>().FailLateAsync(Cancellation)).Should().Be(0);

        (await database.ScalarAsync<string>("SELECT state || ' ' || error_code FROM job WHERE id = $1", late))
            .Should()
            .Be("failed deadline_exceeded");
        (await database.ReadResultsAsync(late)).Should().HaveCount(3);
        (await database.CountShardsAsync(late, "cancelled")).Should().Be(2);
        (await worker.Get<ShardCompletion>().CompleteAsync(running!, Outcome(), Cancellation)).Should().BeFalse();
        (await database.JobStateAsync(timely)).Should().Be("queued");
    }

    [Fact]
    public async Task A_job_that_finished_in_time_stays_completed()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        await CompleteAsync(worker, job);
        await database.ExecuteAsync("UPDATE job SET deadline = now() WHERE id = $1", job);

        await worker.Get<JobFailure>().FailLateAsync(Cancellation);

        (await database.JobStateAsync(job)).Should().Be("completed");
    }

    [Fact]
    public async Task A_shard_that_a_split_brings_while_the_failure_waits_is_dropped_too()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        await using var splitting = await database.DataSource.OpenConnectionAsync(Cancellation);
        await using var split = await splitting.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(splitting, "SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE", job);

        var failing = worker.Get<JobFailure>().FailAsync(job, "code", "message", Cancellation);
        await Eventually.HoldsAsync(
            () =>
                database.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
                ),
            TimeSpan.FromSeconds(10),
            "the failure waits for the job"
        );
        await ExecuteAsync(
            splitting,
            "INSERT INTO shard (job_id, first_line, lines, priority, model, input) SELECT $1, 1000, 1, 5, 'm', input FROM shard WHERE job_id = $1",
            job
        );
        await ExecuteAsync(splitting, "UPDATE job SET shards = shards + 1 WHERE id = $1", job);
        await split.CommitAsync(Cancellation);
        await failing;

        (await database.JobStateAsync(job)).Should().Be("failed");
        (await database.CountShardsAsync(job, "cancelled")).Should().Be(2);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, Guid job)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = job });
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task CompleteAsync(TestWorker worker, Guid job)
    {
        var shard = await TakeAsync(worker, job, firstLine: 0);
        (await worker.Get<ShardCompletion>().CompleteAsync(shard!, Outcome(), Cancellation)).Should().BeTrue();
    }

    private async Task<LeasedShard?> TakeAsync(TestWorker worker, Guid job, long firstLine) =>
        await worker
            .Get<ShardLeases>()
            .TakeAsync(job, await database.ShardIdAsync(job, firstLine), "cpu:0", Cancellation);

    private static ShardOutcome Outcome() =>
        new()
        {
            Output = TestJobs.Output(3),
            Failed = 0,
            LoadId = null,
        };
}
