using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Tests;

/// <summary>Pausing, resuming and priorities, with the leases and the completion that workers use.</summary>
public sealed class JobCourseTests(JobStore store) : IClassFixture<JobStore>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly IOptions<JobsOptions> _options = Options.Create(new JobsOptions());

    private ShardLeases Leases { get; } =
        new(
            store.Database.DataSource,
            new LeaseConnection(store.Database.DataSource, _options),
            new WorkerIdentity(),
            _options
        );

    [Fact]
    public async Task A_paused_job_takes_its_queued_shards_back_and_begins_none()
    {
        var job = await store.SubmitAsync(30);
        var shards = await store.ShardsAsync(job.Id);
        await store.Database.ExecuteAsync(
            "UPDATE shard SET state = 'queued', hangfire_job_id = '7' WHERE id = $1",
            shards[0].Id
        );

        var paused = await store.Directory.PauseAsync(job.Id, Cancellation);

        paused!.State.Should().Be(JobState.Paused);
        (await store.ShardsAsync(job.Id)).Should().OnlyContain(shard => shard.State == "waiting");
        (await TakeAsync(job.Id, shards[0].Id)).Should().BeNull();
    }

    [Fact]
    public async Task A_shard_that_runs_when_its_job_is_paused_goes_on_to_its_end()
    {
        var job = await store.SubmitAsync(30);
        var shards = await store.ShardsAsync(job.Id);
        var running = (await TakeAsync(job.Id, shards[0].Id))!;
        await store.Directory.PauseAsync(job.Id, Cancellation);

        (await CompleteAsync(running)).Should().BeTrue();

        var paused = (await store.Directory.FindAsync(job.Id, Cancellation))!;
        paused.State.Should().Be(JobState.Paused);
        paused.ShardsDone.Should().Be(1);
    }

    [Fact]
    public async Task A_job_whose_last_shard_ends_while_it_is_paused_is_completed()
    {
        var job = await store.SubmitAsync(1);
        var running = (await TakeAsync(job.Id, (await store.ShardsAsync(job.Id))[0].Id))!;
        await store.Directory.PauseAsync(job.Id, Cancellation);

        await CompleteAsync(running);

        (await store.Directory.FindAsync(job.Id, Cancellation))!.State.Should().Be(JobState.Completed);
    }

    [Theory]
    [InlineData(false, JobState.Queued)]
    [InlineData(true, JobState.Running)]
    public async Task A_resumed_job_goes_on_where_it_was_and_workers_are_told(bool started, JobState expected)
    {
        var job = await store.SubmitAsync(30);
        var shards = await store.ShardsAsync(job.Id);
        if (started)
        {
            await CompleteAsync((await TakeAsync(job.Id, shards[0].Id))!);
        }

        await store.Directory.PauseAsync(job.Id, Cancellation);
        var told = new TaskCompletionSource();
        using var subscription = store.Listener.Subscribe(
            NotificationChannels.Waiting,
            payload => _ = payload == job.Id.ToString() && told.TrySetResult()
        );

        var resumed = await store.Directory.ResumeAsync(job.Id, Cancellation);

        resumed!.State.Should().Be(expected);
        await told.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        (await TakeAsync(job.Id, shards[1].Id)).Should().NotBeNull();
    }

    [Fact]
    public async Task A_paused_job_can_be_cancelled()
    {
        var job = await store.SubmitAsync(30);
        await store.Directory.PauseAsync(job.Id, Cancellation);

        var cancelled = await store.Directory.CancelAsync(job.Id, Cancellation);

        cancelled!.State.Should().Be(JobState.Cancelled);
        (await store.ShardsAsync(job.Id)).Should().OnlyContain(shard => shard.State == "cancelled");
    }

    [Fact]
    public async Task A_finished_job_can_be_neither_paused_nor_resumed_nor_moved()
    {
        var job = await store.SubmitAsync(1);
        await store.FinishAllAsync(job.Id);
        var finished = await store.Directory.FindAsync(job.Id, Cancellation);

        foreach (
            var change in (Func<Task<Job?>>[])
                [
                    () => store.Directory.PauseAsync(job.Id, Cancellation),
                    () => store.Directory.ResumeAsync(job.Id, Cancellation),
                    () => store.Directory.SetPriorityAsync(job.Id, 0, Cancellation),
                ]
        )
        {
            await change.Should().ThrowAsync<JobStateException>().WithMessage("The job is completed; only *");
        }

        (await store.Directory.FindAsync(job.Id, Cancellation)).Should().BeEquivalentTo(finished);
        (await store.Directory.PauseAsync(Guid.NewGuid(), Cancellation)).Should().BeNull();
    }

    [Fact]
    public async Task Pausing_or_resuming_twice_equals_once()
    {
        var job = await store.SubmitAsync(3);

        await store.Directory.PauseAsync(job.Id, Cancellation);
        (await store.Directory.PauseAsync(job.Id, Cancellation))!.State.Should().Be(JobState.Paused);
        await store.Directory.ResumeAsync(job.Id, Cancellation);
        (await store.Directory.ResumeAsync(job.Id, Cancellation))!.State.Should().Be(JobState.Queued);
    }

    [Fact]
    public async Task Another_priority_holds_for_every_shard_that_is_not_done()
    {
        var job = await store.SubmitAsync(95);
        var shards = await store.ShardsAsync(job.Id);
        await CompleteAsync((await TakeAsync(job.Id, shards[0].Id))!);
        await TakeAsync(job.Id, shards[1].Id);
        await store.Database.ExecuteAsync("UPDATE shard SET state = 'queued' WHERE id = $1", shards[2].Id);

        var moved = await store.Directory.SetPriorityAsync(job.Id, 1, Cancellation);

        moved!.Priority.Should().Be(1);
        (await store.ShardsAsync(job.Id))
            .Select(shard => shard.State)
            .Should()
            .Equal(["done", "running", .. Enumerable.Repeat("waiting", shards.Count - 2)]);
        const string others = "SELECT count(*) FROM shard WHERE job_id = $1 AND state <> 'done' AND priority <> 1";
        (await store.Database.ScalarAsync<long>(others, job.Id)).Should().Be(0);
    }

    private Task<LeasedShard?> TakeAsync(Guid jobId, long shardId) =>
        Leases.TakeAsync(jobId, shardId, "cpu:0", Cancellation);

    private Task<bool> CompleteAsync(LeasedShard shard)
    {
        var outcome = new ShardOutcome
        {
            Output = "{\"outputs\":[]}\n"u8.ToArray(),
            Failed = 0,
            LoadId = null,
        };
        return new ShardCompletion(store.Database.DataSource).CompleteAsync(shard, outcome, Cancellation);
    }
}
