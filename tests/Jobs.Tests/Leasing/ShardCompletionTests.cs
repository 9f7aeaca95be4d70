using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

public sealed class ShardCompletionTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal) { ["m"] = new() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_last_shard_completes_its_job_and_sets_when_it_expires()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m", shards: 2);

        await CompleteAsync(worker, job, firstLine: 0, failed: 1);
        (await database.JobStateAsync(job)).Should().Be("running");
        await CompleteAsync(worker, job, firstLine: 3);

        (await database.JobStateAsync(job)).Should().Be("completed");
        (
            await database.ScalarAsync<bool>(
                "SELECT lines_done = 6 AND lines_failed = 1 AND shards_done = 2 AND expires_at = finished_at + retention FROM job WHERE id = $1",
                job
            )
        )
            .Should()
            .BeTrue();
    }

    [Fact]
    public async Task A_zombies_results_are_refused_and_change_nothing()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        var zombie = await TakeAsync(worker, job);
        await ExpireAsync(job);
        await worker.Get<ShardRescue>().RescueAsync(Cancellation);
        await Task.Delay(50, Cancellation);
        var other = await TakeAsync(worker, job);

        (await CompleteAsync(worker, zombie!)).Should().BeFalse();

        (await database.CountShardsAsync(job, "running")).Should().Be(1);
        (await CompleteAsync(worker, other!)).Should().BeTrue();
        (await CompleteAsync(worker, zombie!)).Should().BeFalse();
        (await database.ReadResultsAsync(job)).Should().HaveCount(3);
    }

    [Fact]
    public async Task Writing_twice_equals_once()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        var shard = await TakeAsync(worker, job);

        (await CompleteAsync(worker, shard!)).Should().BeTrue();
        (await CompleteAsync(worker, shard!)).Should().BeFalse();

        (await database.ScalarAsync<long>("SELECT lines_done FROM job WHERE id = $1", job)).Should().Be(3);
    }

    [Fact]
    public async Task Results_of_a_cancelled_job_are_refused()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        var shard = await TakeAsync(worker, job);
        await database.ExecuteAsync("UPDATE job SET state = 'cancelled', finished_at = now() WHERE id = $1", job);
        await database.ExecuteAsync(
            "UPDATE shard SET state = 'cancelled', lease = NULL, lease_until = NULL WHERE job_id = $1",
            job
        );

        (await CompleteAsync(worker, shard!)).Should().BeFalse();
    }

    [Fact]
    public async Task Shards_that_end_at_once_are_all_counted()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m", shards: 20);
        var shards = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => TakeAsync(worker, job, firstLine: 3 * i)));

        await Task.WhenAll(shards.Select(shard => Task.Run(() => CompleteAsync(worker, shard!))));

        (await database.JobStateAsync(job)).Should().Be("completed");
        (await database.ScalarAsync<long>("SELECT lines_done FROM job WHERE id = $1", job)).Should().Be(60);
    }

    [Fact]
    public async Task Input_is_kept_only_while_a_line_of_it_failed()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m", shards: 2);

        await CompleteAsync(worker, job, firstLine: 0, failed: 1);
        await CompleteAsync(worker, job, firstLine: 3);

        (await database.ScalarAsync<long>("SELECT first_line FROM shard WHERE job_id = $1 AND input IS NOT NULL", job))
            .Should()
            .Be(0);
    }

    private Task<int> ExpireAsync(Guid job) =>
        database.ExecuteAsync(
            "UPDATE shard SET lease_until = now() - interval '1 second' WHERE job_id = $1 AND state = 'running'",
            job
        );

    private async Task<LeasedShard?> TakeAsync(TestWorker worker, Guid job, long firstLine = 0) =>
        await worker
            .Get<ShardLeases>()
            .TakeAsync(job, await database.ShardIdAsync(job, firstLine), "cpu:0", Cancellation);

    private async Task CompleteAsync(TestWorker worker, Guid job, long firstLine, int failed = 0)
    {
        var shard = await TakeAsync(worker, job, firstLine);
        (await CompleteAsync(worker, shard!, failed)).Should().BeTrue();
    }

    private static Task<bool> CompleteAsync(TestWorker worker, LeasedShard shard, int failed = 0)
    {
        var outcome = new ShardOutcome
        {
            Output = TestJobs.Output(shard.Lines),
            Failed = failed,
            LoadId = null,
        };
        return worker.Get<ShardCompletion>().CompleteAsync(shard, outcome, Cancellation);
    }
}
