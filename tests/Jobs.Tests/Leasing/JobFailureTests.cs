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
