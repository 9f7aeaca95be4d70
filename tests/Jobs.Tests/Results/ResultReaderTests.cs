using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Results.Tests;

public sealed class ResultReaderTests(JobStore store) : IClassFixture<JobStore>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Results_come_in_input_order_whatever_the_order_they_were_made_in()
    {
        var job = await store.SubmitAsync(95);
        foreach (var shard in (await store.ShardsAsync(job.Id)).Reverse())
        {
            await store.FinishAsync(job.Id, shard);
        }

        var results = await ReadAsync(job.Id);

        results.Select(result => result.Line).Should().Equal(Enumerable.Range(0, 95).Select(i => (long)i));
        results.Should().OnlyContain(result => result.Result.Outputs[0].Text == $"done {result.Line}");
    }

    [Fact]
    public async Task While_a_job_runs_reading_stops_at_the_first_line_without_a_result()
    {
        var job = await store.SubmitAsync(95);
        var shards = await store.ShardsAsync(job.Id);
        foreach (int done in (int[])[0, 1, 2, 4, 5])
        {
            await store.FinishAsync(job.Id, shards[done]);
        }

        (await ReadAsync(job.Id)).Should().HaveCount((int)shards[3].FirstLine);
        (await store.Results.CountReadyAsync(job.Id, Cancellation)).Should().Be(shards[3].FirstLine);
        (await ReadAsync(job.Id, shards[3].FirstLine)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_shard_is_read_when_its_first_line_is_asked_for()
    {
        var job = await store.SubmitAsync(95);
        var shards = await store.ShardsAsync(job.Id);
        await store.FinishAllAsync(job.Id);

        List<long> lines = [];
        await foreach (var result in store.Results.ReadAsync(job.Id, fromLine: 0, Cancellation))
        {
            if (result.Line == shards[2].FirstLine)
            {
                const string delete = "DELETE FROM shard_result WHERE job_id = $1 AND first_line > $2";
                await store.Database.ExecuteAsync(delete, job.Id, result.Line);
            }

            lines.Add(result.Line);
        }

        lines.Should().HaveCount((int)shards[3].FirstLine);
    }

    [Fact]
    public async Task Reading_starts_at_any_line()
    {
        var job = await store.SubmitAsync(40);
        await store.FinishAllAsync(job.Id);

        for (int from = 0; from <= 41; from++)
        {
            (await ReadAsync(job.Id, from))
                .Select(result => result.Line)
                .Should()
                .Equal(Enumerable.Range(0, 40).Skip(from).Select(i => (long)i));
        }
    }

    [Fact]
    public async Task What_a_cancelled_job_has_done_is_given_with_its_gaps()
    {
        var job = await store.SubmitAsync(95);
        var shards = await store.ShardsAsync(job.Id);
        await store.FinishAsync(job.Id, shards[0]);
        await store.FinishAsync(job.Id, shards[3]);
        await store.Directory.CancelAsync(job.Id, Cancellation);

        var lines = (await ReadAsync(job.Id)).Select(result => result.Line);

        lines.Should().Equal(LinesOf(shards[0]).Concat(LinesOf(shards[3])));
        (await store.Results.CountReadyAsync(job.Id, Cancellation)).Should().Be(95);
    }

    [Fact]
    public async Task A_job_without_results_reads_as_nothing()
    {
        var job = await store.SubmitAsync(3);

        (await ReadAsync(job.Id)).Should().BeEmpty();
        (await store.Results.CountReadyAsync(job.Id, Cancellation)).Should().Be(0);
    }

    [Fact]
    public async Task A_job_that_is_unknown_or_expired_has_no_results()
    {
        var job = await store.SubmitAsync(3);
        await store.FinishAllAsync(job.Id);
        await store.Database.ExecuteAsync("UPDATE job SET expires_at = now() WHERE id = $1", job.Id);

        (await ReadAsync(job.Id)).Should().BeEmpty();
        (await store.Results.CountReadyAsync(job.Id, Cancellation)).Should().BeNull();
        (await store.Results.CountReadyAsync(Guid.NewGuid(), Cancellation)).Should().BeNull();
    }

    private static IEnumerable<long> LinesOf(ShardStatus shard) =>
        Enumerable.Range(0, shard.Lines).Select(i => shard.FirstLine + i);

    private async Task<List<LineResult>> ReadAsync(Guid jobId, long fromLine = 0) =>
        await store.Results.ReadAsync(jobId, fromLine, Cancellation).ToListAsync(Cancellation);
}
