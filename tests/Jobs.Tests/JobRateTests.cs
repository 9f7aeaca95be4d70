namespace Seq2Seq.Jobs.Tests;

/// <summary>Lines a second as <see cref="JobDirectory.ListRatesAsync"/> tells them; shards here have ten lines.</summary>
public sealed class JobRateTests(JobStore store) : IClassFixture<JobStore>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pause_does_not_count()
    {
        var job = await RunningAsync(shards: 5);
        await DoneAsync(job, shard: 0, began: 7200, ended: 7195);
        await DoneAsync(job, shard: 1, began: 7195, ended: 7190);
        // Two hours of nothing, and on.
        await DoneAsync(job, shard: 2, began: 10, ended: 5);
        await AtWorkAsync(job, shard: 3);

        (await RateAsync(job)).Should().BeApproximately(2, 0.01);
    }

    [Fact]
    public async Task Shards_that_run_at_once_share_their_time()
    {
        var job = await RunningAsync(shards: 3);
        await DoneAsync(job, shard: 0, began: 15, ended: 5);
        await DoneAsync(job, shard: 1, began: 15, ended: 5);
        await AtWorkAsync(job, shard: 2);

        (await RateAsync(job)).Should().BeApproximately(2, 0.01);
    }

    [Fact]
    public async Task What_was_long_ago_does_not_count_while_the_job_goes_on_and_does_at_its_end()
    {
        var job = await RunningAsync(shards: 40);
        for (int shard = 0; shard < 19; shard++)
        {
            // Slow at first, a hundred seconds each.
            await DoneAsync(job, shard, began: 2200 - (shard * 100), ended: 2100 - (shard * 100));
        }

        for (int shard = 19; shard < 39; shard++)
        {
            // Then five each.
            await DoneAsync(job, shard, began: 300 - ((shard - 19) * 5), ended: 295 - ((shard - 19) * 5));
        }

        await AtWorkAsync(job, shard: 39);
        (await RateAsync(job)).Should().BeApproximately(2, 0.01);

        await store.Directory.CancelAsync(job.Id, Cancellation);
        (await RateAsync(job)).Should().BeApproximately(390.0 / 2000, 0.01);
    }

    [Theory]
    [InlineData("UPDATE job SET state = 'paused' WHERE id = $1")]
    [InlineData("UPDATE job SET error_code = 'model_load_failed' WHERE id = $1")]
    [InlineData("INSERT INTO model_pause (model) SELECT model FROM job WHERE id = $1")]
    [InlineData(
        "UPDATE shard SET state = 'waiting', lease = NULL, lease_until = NULL WHERE job_id = $1 AND state = 'running'"
    )]
    public async Task A_job_that_stands_still_has_no_rate(string standstill)
    {
        var job = await RunningAsync(shards: 2);
        await DoneAsync(job, shard: 0, began: 10, ended: 5);
        await AtWorkAsync(job, shard: 1);
        (await RateAsync(job)).Should().NotBeNull();

        await store.Database.ExecuteAsync(standstill, job.Id);

        (await RateAsync(job)).Should().BeNull();
        await store.Database.ExecuteAsync("DELETE FROM model_pause");
    }

    [Fact]
    public async Task A_job_of_which_nothing_is_done_has_no_rate()
    {
        var job = await RunningAsync(shards: 1);
        await AtWorkAsync(job, shard: 0);

        (await RateAsync(job)).Should().BeNull();
    }

    private async Task<double?> RateAsync(Job job) =>
        (await store.Directory.ListRatesAsync([job], Cancellation)).TryGetValue(job.Id, out double rate) ? rate : null;

    private async Task<Job> RunningAsync(int shards)
    {
        var id = await store.Database.InsertJobAsync(JobStore.Model, shards, linesPerShard: 10);
        await store.Database.ExecuteAsync("UPDATE job SET state = 'running', started_at = now() WHERE id = $1", id);
        return (await store.Directory.FindAsync(id, Cancellation))!;
    }

    /// <summary>A shard is done; times in seconds before one moment, that of <see cref="RunningAsync"/>.</summary>
    private Task<int> DoneAsync(Job job, int shard, int began, int ended) =>
        store.Database.ExecuteAsync(
            """
            UPDATE shard
            SET state = 'done', started_at = job.started_at - make_interval(secs => $3),
                finished_at = job.started_at - make_interval(secs => $4)
            FROM job
            WHERE job.id = $1 AND job_id = $1 AND first_line = $2
            """,
            job.Id,
            shard * 10L,
            (double)began,
            (double)ended
        );

    private Task<int> AtWorkAsync(Job job, int shard) =>
        store.Database.ExecuteAsync(
            """
            UPDATE shard
            SET state = 'running', started_at = now(), lease = gen_random_uuid(), lease_until = now() + interval '1 hour'
            WHERE job_id = $1 AND first_line = $2
            """,
            job.Id,
            shard * 10L
        );
}
