using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Sharding.Tests;

public sealed class FailedLinesTests(JobStore store) : IClassFixture<JobStore>
{
    private const int Lines = 95;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_failed_lines_are_run_again_and_all_others_keep_their_results()
    {
        var job = await store.SubmitAsync(Lines);
        await store.FinishAllAsync(job.Id, fails: line => line % 7 == 3);
        int failed = Enumerable.Range(0, Lines).Count(line => line % 7 == 3);
        var model = new TestModel();

        var retried = await store.Directory.RetryAsync(job.Id, Cancellation);
        var ended = await RunAsync(job.Id, model);

        retried
            .Should()
            .BeEquivalentTo(
                new
                {
                    State = JobState.Queued,
                    LinesFailed = 0L,
                    Run = 2,
                }
            );
        retried!.LinesDone.Should().Be(Lines - failed);
        ended
            .Should()
            .BeEquivalentTo(
                new
                {
                    State = JobState.Completed,
                    LinesDone = (long)Lines,
                    LinesFailed = 0L,
                    Run = 2,
                }
            );
        model.Lines.Should().Be(failed);
        (await ReadAsync(job.Id))
            .Select(result => result.Result.Outputs[0].Text)
            .Should()
            .Equal(Enumerable.Range(0, Lines).Select(line => line % 7 == 3 ? $"LINE {line}" : $"done {line}"));
    }

    [Fact]
    public async Task Lines_that_fail_again_are_found_among_answered_ones_and_the_counts_stay_true()
    {
        var job = await store.SubmitAsync(Lines);
        await store.FinishAllAsync(job.Id, fails: line => line % 3 == 1);
        var model = new TestModel
        {
            BeforeBatch = (lines, _) =>
                lines.Any(line => line is "line 4" or "line 55" or "line 58")
                    ? throw new InvalidDataException("poison")
                    : Task.CompletedTask,
        };

        await store.Directory.RetryAsync(job.Id, Cancellation);
        var ended = await RunAsync(job.Id, model);

        ended
            .Should()
            .BeEquivalentTo(
                new
                {
                    State = JobState.Completed,
                    LinesDone = (long)Lines,
                    LinesFailed = 3L,
                }
            );
        ended.ShardsDone.Should().Be(ended.Shards);
        var results = await ReadAsync(job.Id);
        results.Select(result => result.Line).Should().Equal(Enumerable.Range(0, Lines).Select(line => (long)line));
        results
            .Where(result => result.Result.Error is not null)
            .Select(result => (result.Line, result.Result.Error!.Code))
            .Should()
            .Equal((4, LineErrorCodes.Poison), (55, LineErrorCodes.Poison), (58, LineErrorCodes.Poison));

        await store.Directory.RetryAsync(job.Id, Cancellation);
        var third = await RunAsync(job.Id, new TestModel());

        third
            .Should()
            .BeEquivalentTo(
                new
                {
                    Run = 3,
                    LinesDone = (long)Lines,
                    LinesFailed = 0L,
                }
            );
        (await ReadAsync(job.Id))
            .Select(result => result.Result.Outputs[0].Text)
            .Should()
            .Equal(Enumerable.Range(0, Lines).Select(line => line % 3 == 1 ? $"LINE {line}" : $"done {line}"));
    }

    [Fact]
    public async Task What_was_cancelled_is_run_and_what_was_done_is_kept()
    {
        var job = await store.SubmitAsync(Lines);
        var shards = await store.ShardsAsync(job.Id);
        await store.FinishAsync(job.Id, shards[1]);
        await store.Directory.CancelAsync(job.Id, Cancellation);
        var model = new TestModel();

        await store.Directory.RetryAsync(job.Id, Cancellation);
        var ended = await RunAsync(job.Id, model);

        ended
            .Should()
            .BeEquivalentTo(
                new
                {
                    State = JobState.Completed,
                    LinesDone = (long)Lines,
                    ExpiresAt = ended.FinishedAt + TimeSpan.FromDays(7),
                }
            );
        model.Lines.Should().Be(Lines - shards[1].Lines);
    }

    [Fact]
    public async Task Until_a_new_result_is_there_the_old_one_stands_and_cancelling_keeps_it()
    {
        var job = await store.SubmitAsync(Lines);
        await store.FinishAllAsync(job.Id, fails: line => line == 50);

        await store.Directory.RetryAsync(job.Id, Cancellation);
        await store.Directory.CancelAsync(job.Id, Cancellation);

        var results = await ReadAsync(job.Id);
        results.Should().HaveCount(Lines);
        results.Count(result => result.Result.Error is not null).Should().Be(1);
    }

    [Fact]
    public async Task A_job_with_nothing_to_run_or_that_has_not_ended_is_refused_and_stays_as_it_is()
    {
        var good = await store.SubmitAsync(3);
        await store.FinishAllAsync(good.Id);
        var waiting = await store.SubmitAsync(3);
        SourceLine[] unreadable =
        [
            new()
            {
                Error = new LineError { Code = "line_malformed", Message = "no" },
            },
        ];
        var broken = await store.Submitter.SubmitAsync(
            new JobRequest { Model = JobStore.Model },
            unreadable.ToAsyncEnumerable(),
            Cancellation
        );
        await store.FinishAllAsync(broken.Job.Id, fails: _ => true);

        foreach (var id in (Guid[])[good.Id, waiting.Id, broken.Job.Id])
        {
            var before = await store.Directory.FindAsync(id, Cancellation);
            var retry = () => store.Directory.RetryAsync(id, Cancellation);
            await retry.Should().ThrowAsync<JobStateException>();
            (await store.Directory.FindAsync(id, Cancellation)).Should().BeEquivalentTo(before);
        }

        (await store.Directory.RetryAsync(Guid.NewGuid(), Cancellation)).Should().BeNull();
        // The database is the class's: the next test's worker would run it, and count its lines.
        await store.Directory.CancelAsync(waiting.Id, Cancellation);
    }

    private async Task<Job> RunAsync(Guid jobId, TestModel model)
    {
        var models = new Dictionary<string, TestModel>(StringComparer.Ordinal) { [JobStore.Model] = model };
        await using var worker = await TestWorker.StartAsync(store.Database, models, ("Jobs:MaxAttempts", "1"));
        var job = await store.Directory.WaitAsync(jobId, TimeSpan.FromSeconds(60), Cancellation);
        job!.FinishedAt.Should().NotBeNull();
        return job;
    }

    private async Task<List<LineResult>> ReadAsync(Guid jobId) =>
        await store.Results.ReadAsync(jobId, fromLine: 0, Cancellation).ToListAsync(Cancellation);
}
