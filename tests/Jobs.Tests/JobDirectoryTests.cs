using System.Diagnostics;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Jobs.Tests;

public sealed class JobDirectoryTests(JobStore store) : IClassFixture<JobStore>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_unknown_or_expired_job_is_not_found()
    {
        var job = await store.SubmitAsync(1);
        await store.FinishAllAsync(job.Id);
        await store.Database.ExecuteAsync("UPDATE job SET expires_at = now() WHERE id = $1", job.Id);

        (await store.Directory.FindAsync(job.Id, Cancellation)).Should().BeNull();
        (await store.Directory.FindAsync(Guid.NewGuid(), Cancellation)).Should().BeNull();
        (await store.Directory.CancelAsync(Guid.NewGuid(), Cancellation)).Should().BeNull();
        (await store.Directory.ListAsync(new JobFilter { Search = job.Id.ToString() }, Cancellation))
            .Should()
            .BeEmpty();
    }

    [Fact]
    public async Task Pages_hold_every_job_once_newest_first_even_when_the_last_one_seen_is_gone()
    {
        List<Guid> ids = [];
        for (int i = 0; i < 7; i++)
        {
            ids.Add(await SubmitAsync("paged"));
        }

        List<Guid> seen = [];
        var filter = new JobFilter { Search = "paged", Limit = 3 };
        while (await store.Directory.ListAsync(filter, Cancellation) is { Count: > 0 } page)
        {
            seen.AddRange(page.Select(job => job.Id));
            filter = filter with { Before = seen[^1] };
            await store.Database.ExecuteAsync("DELETE FROM job WHERE id = $1", seen[^1]);
        }

        // Ids are in order of milliseconds.
        seen.Should().Equal(ids.OrderDescending());
    }

    [Fact]
    public async Task Jobs_are_found_by_state_model_part_of_a_name_and_beginning_of_an_id()
    {
        var id = await SubmitAsync("Autumn_100% sale");
        await SubmitAsync("autumn 1000");

        async Task<IEnumerable<Guid>> FindAsync(JobFilter filter) =>
            (await store.Directory.ListAsync(filter, Cancellation)).Select(job => job.Id);

        (await FindAsync(new JobFilter { Search = "autumn_100%" })).Should().Equal(id);
        (await FindAsync(new JobFilter { Search = id.ToString()[..20] })).Should().Contain(id);
        (await FindAsync(new JobFilter { Search = "%" })).Should().Equal(id);
        (await FindAsync(new JobFilter { State = JobState.Queued, Model = JobStore.Model })).Should().Contain(id);
        (await FindAsync(new JobFilter { State = JobState.Cancelled, Search = "autumn" })).Should().BeEmpty();
        (await FindAsync(new JobFilter { Model = "other" })).Should().BeEmpty();
    }

    [Fact]
    public async Task Shards_come_in_pages_in_input_order()
    {
        var job = await store.SubmitAsync(95);
        var all = await store.ShardsAsync(job.Id);

        var second = await store.Directory.ListShardsAsync(job.Id, 2, all[1].FirstLine, Cancellation);

        second.Should().BeEquivalentTo(all.Skip(2).Take(2), options => options.WithStrictOrdering());
        all.Sum(shard => shard.Lines).Should().Be(95);
    }

    [Fact]
    public async Task Cancelling_stops_what_is_to_do_and_keeps_what_is_done()
    {
        var job = await store.SubmitAsync(95);
        var shards = await store.ShardsAsync(job.Id);
        await store.FinishAsync(job.Id, shards[0]);
        await store.Database.ExecuteAsync(
            "UPDATE shard SET state = 'running', lease = gen_random_uuid(), lease_until = now() WHERE id = $1",
            shards[1].Id
        );
        await store.Database.ExecuteAsync("UPDATE shard SET state = 'queued' WHERE id = $1", shards[2].Id);

        var cancelled = await store.Directory.CancelAsync(job.Id, Cancellation);
        var again = await store.Directory.CancelAsync(job.Id, Cancellation);

        cancelled!.State.Should().Be(JobState.Cancelled);
        cancelled.LinesDone.Should().Be(shards[0].Lines);
        cancelled.ExpiresAt.Should().BeCloseTo(cancelled.FinishedAt!.Value.AddDays(7), TimeSpan.FromSeconds(1));
        again.Should().BeEquivalentTo(cancelled);
        (await store.ShardsAsync(job.Id))
            .Select(shard => (shard.State, shard.LeaseUntil))
            .Should()
            .Equal([("done", null), .. Enumerable.Repeat(("cancelled", (DateTimeOffset?)null), shards.Count - 1)]);
    }

    [Fact]
    public async Task A_finished_job_stays_finished_when_it_is_cancelled()
    {
        var job = await store.SubmitAsync(1);
        await store.FinishAllAsync(job.Id);

        (await store.Directory.CancelAsync(job.Id, Cancellation))!.State.Should().Be(JobState.Completed);
    }

    [Fact]
    public async Task Waiting_ends_when_the_job_ends()
    {
        var job = await store.SubmitAsync(1);
        var waiting = store.Directory.WaitAsync(job.Id, TimeSpan.FromMinutes(5), Cancellation);
        await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
        waiting.IsCompleted.Should().BeFalse();

        var clock = Stopwatch.StartNew();
        await store.FinishAllAsync(job.Id);

        (await waiting)!.State.Should().Be(JobState.Completed);
        // Notified; looking again without one takes five seconds.
        clock.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task Waiting_ends_after_its_time_with_the_job_as_it_is()
    {
        var job = await store.SubmitAsync(1);

        (await store.Directory.WaitAsync(job.Id, TimeSpan.FromMilliseconds(50), Cancellation))!
            .State.Should()
            .Be(JobState.Queued);
        (await store.Directory.WaitAsync(Guid.NewGuid(), TimeSpan.FromMinutes(5), Cancellation)).Should().BeNull();
    }

    [Fact]
    public async Task Waiting_outlives_the_loss_of_the_listening_connection()
    {
        var job = await store.SubmitAsync(1);
        var waiting = store.Directory.WaitAsync(job.Id, TimeSpan.FromMinutes(5), Cancellation);
        await store.Database.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        );

        await store.FinishAllAsync(job.Id);

        (await waiting.WaitAsync(TimeSpan.FromSeconds(30), Cancellation))!.State.Should().Be(JobState.Completed);
    }

    [Fact]
    public async Task A_wait_that_is_called_off_throws()
    {
        var job = await store.SubmitAsync(1);
        using var impatience = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        var wait = () => store.Directory.WaitAsync(job.Id, TimeSpan.FromMinutes(5), impatience.Token);

        await wait.Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task A_job_names_the_loads_that_served_it_and_their_lines()
    {
        var job = await store.SubmitAsync(20);
        await store.FinishAllAsync(job.Id);
        var report = new LoadReport
        {
            Model = JobStore.Model,
            Folder = "models/letters",
            Outcome = LoadOutcome.Loaded,
            Strategy = LoadStrategy.ConfigFirst,
            Tries = [],
        };
        long load = await store.Database.ScalarAsync<long>(
            """
            INSERT INTO model_load (model, served_by, worker_id, slot, outcome, report)
            VALUES ('letters', 'letters', 'w', 'cpu:0', 'loaded', $1::jsonb)
            RETURNING id
            """,
            LoadReportJson.Write(report)
        );
        await store.Database.ExecuteAsync("UPDATE shard_result SET load_id = $1 WHERE job_id = $2", load, job.Id);

        var served = (await store.Directory.ListLoadsAsync(job.Id, Cancellation)).Single();

        served.Lines.Should().Be(20);
        served.Report.Should().BeEquivalentTo(report);
        served
            .Should()
            .BeEquivalentTo(
                new
                {
                    Id = load,
                    ServedBy = "letters",
                    Worker = "w",
                    Slot = "cpu:0",
                }
            );
    }

    private async Task<Guid> SubmitAsync(string name)
    {
        var request = new JobRequest { Model = JobStore.Model, Name = name };
        return (await store.Submitter.SubmitAsync(request, JobStore.Lines("a"), Cancellation)).Job.Id;
    }
}
