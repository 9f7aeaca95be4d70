using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

public sealed class ShardLeasesTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const string Slot = "cpu:0";

    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal) { ["m"] = new() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Taking_a_lease_counts_the_attempt_and_starts_the_job()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");

        var shard = await TakeAsync(worker, job);

        shard!.Attempt.Should().Be(1);
        shard.Lines.Should().Be(3);
        shard.Model.Should().Be("m");
        (await database.JobStateAsync(job)).Should().Be("running");
        (await database.ScalarAsync<int>("SELECT attempts FROM shard WHERE job_id = $1", job)).Should().Be(1);
    }

    [Fact]
    public async Task Of_many_that_want_a_shard_one_gets_it()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => TakeAsync(worker, job))));

        taken.Count(shard => shard is not null).Should().Be(1);
    }

    [Theory]
    [InlineData("UPDATE job SET state = 'cancelled', finished_at = now() WHERE id = $1")]
    [InlineData("UPDATE job SET state = 'receiving' WHERE id = $1")]
    [InlineData("UPDATE shard SET state = 'done' WHERE job_id = $1")]
    [InlineData("UPDATE shard SET not_before = now() + interval '1 minute' WHERE job_id = $1")]
    [InlineData("UPDATE job SET deadline = now() WHERE id = $1")]
    [InlineData("UPDATE job SET state = 'paused' WHERE id = $1")]
    public async Task What_may_not_run_is_not_taken(string sql)
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        await database.ExecuteAsync(sql, job);

        (await TakeAsync(worker, job)).Should().BeNull();
    }

    [Fact]
    public async Task Renewing_tells_which_leases_still_hold()
    {
        await using var worker = TestWorker.Create(database, _models);
        var kept = await TakeAsync(worker, await database.InsertJobAsync("m"));
        var lost = await TakeAsync(worker, await database.InsertJobAsync("m"));
        await database.ExecuteAsync("UPDATE shard SET lease = gen_random_uuid() WHERE id = $1", lost!.ShardId);

        var valid = await worker.Get<ShardLeases>().RenewAsync([kept!.Token, lost.Token], Cancellation);

        valid.Should().Equal(kept.Token);
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_renewed_as_long_as_nobody_took_the_shard()
    {
        await using var worker = TestWorker.Create(database, _models);
        var shard = await TakeAsync(worker, await database.InsertJobAsync("m"));
        await database.ExecuteAsync(
            "UPDATE shard SET lease_until = now() - interval '1 hour' WHERE id = $1",
            shard!.ShardId
        );

        (await worker.Get<ShardLeases>().RenewAsync([shard.Token], Cancellation)).Should().Equal(shard.Token);
    }

    [Fact]
    public async Task A_shard_handed_back_waits_and_its_attempt_does_not_count()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        var shard = await TakeAsync(worker, job);

        await worker.Get<ShardLeases>().HandBackAsync(shard!, Cancellation);

        (await TakeAsync(worker, job))!.Attempt.Should().Be(1);
    }

    [Fact]
    public async Task What_was_taken_away_can_not_be_handed_back()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        var shard = await TakeAsync(worker, job);
        await database.ExecuteAsync("UPDATE shard SET lease = gen_random_uuid() WHERE job_id = $1", job);

        await worker.Get<ShardLeases>().HandBackAsync(shard!, Cancellation);

        (await database.CountShardsAsync(job, "running")).Should().Be(1);
    }

    private async Task<LeasedShard?> TakeAsync(TestWorker worker, Guid job) =>
        await worker.Get<ShardLeases>().TakeAsync(job, await database.ShardIdAsync(job), Slot, Cancellation);
}
