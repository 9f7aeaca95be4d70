using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

public sealed class ShardRescueTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal) { ["m"] = new() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dead_workers_shard_waits_again_and_its_attempt_counts()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        await LoseAsync(worker, job);

        (await worker.Get<ShardRescue>().RescueAsync(Cancellation)).Should().Be(1);

        (await database.CountShardsAsync(job, "waiting")).Should().Be(1);
        (await database.ScalarAsync<int>("SELECT attempts FROM shard WHERE job_id = $1", job)).Should().Be(1);
        (await database.ScalarAsync<string>("SELECT error_code FROM shard WHERE job_id = $1", job))
            .Should()
            .Be(ShardRescue.Code);
    }

    [Fact]
    public async Task A_live_workers_shard_stays_with_it()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        await worker.Get<ShardLeases>().TakeAsync(job, await database.ShardIdAsync(job), "cpu:0", Cancellation);

        (await worker.Get<ShardRescue>().RescueAsync(Cancellation)).Should().Be(0);
    }

    [Fact]
    public async Task Several_rescuers_count_one_attempt()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        await LoseAsync(worker, job);

        var rescued = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => Task.Run(() => worker.Get<ShardRescue>().RescueAsync(Cancellation)))
        );

        rescued.Sum().Should().Be(1);
    }

    [Fact]
    public async Task A_line_that_kills_every_worker_is_quarantined_and_the_others_are_answered()
    {
        await using var worker = TestWorker.Create(database, _models, ("Jobs:RetryDelay", "00:00:00"));
        var job = await database.InsertJobAsync("m", linesPerShard: 8);

        // Whoever takes a shard with line 5 dies.
        for (int round = 0; round < 20 && await database.JobStateAsync(job) != "completed"; round++)
        {
            foreach (long firstLine in await WaitingAsync(job))
            {
                var shard = await worker
                    .Get<ShardLeases>()
                    .TakeAsync(job, await database.ShardIdAsync(job, firstLine), "cpu:0", Cancellation);
                if (shard!.FirstLine <= 5 && 5 < shard.FirstLine + shard.Lines)
                {
                    await ExpireAsync(job);
                }
                else
                {
                    await worker.Get<ShardCompletion>().CompleteAsync(shard, Answers(shard), Cancellation);
                }
            }

            await worker.Get<ShardRescue>().RescueAsync(Cancellation);
        }

        var results = await database.ReadResultsAsync(job);
        results.Should().HaveCount(8);
        results.Where(result => result.Result.Error is not null).Should().ContainSingle().Which.Line.Should().Be(5);
        results[5].Result.Error!.Message.Should().Contain(ShardRescue.Code);
    }

    private static ShardOutcome Answers(LeasedShard shard) =>
        new()
        {
            Output = TestJobs.Output(shard.Lines),
            Failed = 0,
            LoadId = null,
        };

    private async Task LoseAsync(TestWorker worker, Guid job)
    {
        await worker.Get<ShardLeases>().TakeAsync(job, await database.ShardIdAsync(job), "cpu:0", Cancellation);
        await ExpireAsync(job);
    }

    private Task<int> ExpireAsync(Guid job) =>
        database.ExecuteAsync(
            "UPDATE shard SET lease_until = now() - interval '1 second' WHERE job_id = $1 AND state = 'running'",
            job
        );

    private async Task<List<long>> WaitingAsync(Guid job)
    {
        long[] waiting = await database.ScalarAsync<long[]>(
            "SELECT array(SELECT first_line FROM shard WHERE job_id = $1 AND state = 'waiting')",
            job
        );
        return [.. waiting];
    }
}
