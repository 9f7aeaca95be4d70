using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Keys.Tests;

public sealed class KeyUsageTests(JobStore store) : IClassFixture<JobStore>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_names_the_key_that_submitted_it()
    {
        var key = await AddAsync(new KeyLimits());

        var submitted = await SubmitAsync(key, "a");

        submitted.Job.ApiKeyId.Should().Be(key);
    }

    [Fact]
    public async Task Jobs_that_have_not_ended_are_limited()
    {
        var key = await AddAsync(new KeyLimits { UnfinishedJobs = 2 });
        var first = await SubmitAsync(key, "a");
        await SubmitAsync(key, "b");

        var error = await RefusedAsync(key, LimitCodes.UnfinishedJobs, "c");
        error.RetryAfter.Should().BePositive();

        await store.FinishAllAsync(first.Job.Id);
        (await SubmitAsync(key, "c")).Created.Should().BeTrue();
    }

    [Fact]
    public async Task A_job_that_is_retried_has_not_ended_again()
    {
        var key = await AddAsync(new KeyLimits { UnfinishedJobs = 1, LinesPerDay = 2 });
        var first = await SubmitAsync(key, "a");
        await store.Directory.CancelAsync(first.Job.Id, Cancellation);
        var second = await SubmitAsync(key, "b");
        var retry = () => store.Directory.RetryAsync(first.Job.Id, Cancellation);

        (await retry.Should().ThrowAsync<LimitExceededException>()).Which.Code.Should().Be(LimitCodes.UnfinishedJobs);

        (await store.Directory.FindAsync(first.Job.Id, Cancellation))!.State.Should().Be(JobState.Cancelled);
        await store.FinishAllAsync(second.Job.Id);
        (await retry())!.State.Should().Be(JobState.Queued);
    }

    [Fact]
    public async Task Submits_of_a_minute_may_come_at_once_and_then_evenly()
    {
        var key = await AddAsync(new KeyLimits { SubmitsPerMinute = 3 });
        for (int i = 0; i < 3; i++)
        {
            await SubmitAsync(key, "a");
        }

        var error = await RefusedAsync(key, LimitCodes.SubmitsPerMinute, "a");
        error.RetryAfter.Should().BePositive().And.BeLessThanOrEqualTo(TimeSpan.FromSeconds(20));

        await store.Database.ExecuteAsync(
            "UPDATE api_key SET submit_at = submit_at - interval '20 seconds' WHERE id = $1",
            key
        );
        await SubmitAsync(key, "a");
        await RefusedAsync(key, LimitCodes.SubmitsPerMinute, "a");
    }

    [Fact]
    public async Task Ten_submits_at_once_keep_the_rate()
    {
        var key = await AddAsync(new KeyLimits { SubmitsPerMinute = 4 });

        var submits = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(async _ =>
                {
                    try
                    {
                        await SubmitAsync(key, "a");
                        return 1;
                    }
                    catch (LimitExceededException)
                    {
                        return 0;
                    }
                })
        );

        submits.Sum().Should().Be(4);
    }

    [Theory]
    [InlineData(1, null, null, LimitCodes.UnfinishedJobs)]
    [InlineData(null, 3L, null, LimitCodes.LinesPerDay)]
    [InlineData(null, null, 6L, LimitCodes.BytesPerDay)]
    public async Task Submits_that_send_their_lines_at_once_keep_a_limit_together(
        int? jobs,
        long? lines,
        long? bytes,
        string code
    )
    {
        var key = await AddAsync(
            new KeyLimits
            {
                UnfinishedJobs = jobs,
                LinesPerDay = lines,
                BytesPerDay = bytes,
            }
        );
        var sendTheRest = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource[] begun =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)),
        ];

        Task<SubmittedJob>[] submits =
        [
            .. begun.Select(first =>
                store.Submitter.SubmitAsync(
                    new JobRequest { Model = JobStore.Model, ApiKeyId = key },
                    LinesAsync(first),
                    Cancellation
                )
            ),
        ];
        await Task.WhenAll(begun.Select(first => first.Task));
        sendTheRest.SetResult();

        List<LimitExceededException> refused = [];
        foreach (var submit in submits)
        {
            try
            {
                (await submit).Created.Should().BeTrue();
            }
            catch (LimitExceededException error)
            {
                refused.Add(error);
            }
        }

        refused.Should().HaveCount(2).And.OnlyContain(error => error.Code == code);
        (await store.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE api_key_id = $1", key)).Should().Be(1);

        async IAsyncEnumerable<SourceLine> LinesAsync(TaskCompletionSource first)
        {
            yield return new SourceLine { Text = "a" };
            first.SetResult();
            await sendTheRest.Task;
            yield return new SourceLine { Text = "b" };
        }
    }

    [Fact]
    public async Task Lines_of_a_day_are_limited_and_a_submit_that_goes_over_leaves_nothing()
    {
        var key = await AddAsync(new KeyLimits { LinesPerDay = 5 });
        await SubmitAsync(key, "a", "b", "c");

        var error = await RefusedAsync(key, LimitCodes.LinesPerDay, "d", "e", "f");
        error.RetryAfter.Should().BeGreaterThan(TimeSpan.FromHours(23)).And.BeLessThan(TimeSpan.FromHours(26));

        await SubmitAsync(key, "d", "e");
        await RefusedAsync(key, LimitCodes.LinesPerDay, "f");
        (await store.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE api_key_id = $1", key)).Should().Be(2);
        await store.Database.ExecuteAsync(
            "UPDATE api_key_usage SET hour = hour - interval '25 hours' WHERE api_key_id = $1",
            key
        );
        (await SubmitAsync(key, "f")).Created.Should().BeTrue();
    }

    [Fact]
    public async Task Bytes_of_a_day_are_limited_while_they_arrive()
    {
        var key = await AddAsync(new KeyLimits { BytesPerDay = 6_000_000 });
        string[] lines = [.. Enumerable.Repeat(new string('x', 600_000), 11)];

        await RefusedAsync(key, LimitCodes.BytesPerDay, lines);

        (await store.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE api_key_id = $1", key)).Should().Be(0);
        (await SubmitAsync(key, lines[..9])).Job.Bytes.Should().Be(9 * 600_001);
        await RefusedAsync(key, LimitCodes.BytesPerDay, lines[..1]);
    }

    [Fact]
    public async Task What_a_deleted_job_brought_still_counts()
    {
        var key = await AddAsync(new KeyLimits { LinesPerDay = 1 });
        var submitted = await SubmitAsync(key, "a");
        await store.Database.ExecuteAsync("DELETE FROM job WHERE id = $1", submitted.Job.Id);

        await RefusedAsync(key, LimitCodes.LinesPerDay, "b");
    }

    [Fact]
    public async Task Repeating_a_submit_brings_nothing_new()
    {
        var key = await AddAsync(
            new KeyLimits
            {
                LinesPerDay = 2,
                UnfinishedJobs = 1,
                SubmitsPerMinute = 1,
            }
        );
        var request = new JobRequest
        {
            Model = JobStore.Model,
            ApiKeyId = key,
            IdempotencyKey = "again",
        };
        var first = await store.Submitter.SubmitAsync(request, JobStore.Lines("a", "b"), Cancellation);

        var again = await store.Submitter.SubmitAsync(request, JobStore.Lines("a", "b"), Cancellation);

        again.Created.Should().BeFalse();
        again.Job.Id.Should().Be(first.Job.Id);
    }

    [Fact]
    public async Task An_idempotency_key_means_something_among_the_requests_of_one_key_only()
    {
        List<Guid> jobs = [];
        foreach (Guid? key in (Guid?[])[null, await AddAsync(new KeyLimits()), await AddAsync(new KeyLimits())])
        {
            var request = new JobRequest
            {
                Model = JobStore.Model,
                ApiKeyId = key,
                IdempotencyKey = "shared",
            };
            var submitted = await store.Submitter.SubmitAsync(request, JobStore.Lines($"{key}"), Cancellation);
            submitted.Created.Should().BeTrue();
            jobs.Add(submitted.Job.Id);
        }

        jobs.Should().OnlyHaveUniqueItems();
    }

    private async Task<Guid> AddAsync(KeyLimits limits)
    {
        var request = new ApiKeyRequest { Name = $"{Guid.NewGuid()}", Limits = limits };
        return (await store.Keys.AddAsync(request, Cancellation)).Key.Id;
    }

    private Task<SubmittedJob> SubmitAsync(Guid key, params string[] lines) =>
        store.Submitter.SubmitAsync(
            new JobRequest { Model = JobStore.Model, ApiKeyId = key },
            JobStore.Lines(lines),
            Cancellation
        );

    private async Task<LimitExceededException> RefusedAsync(Guid key, string code, params string[] lines)
    {
        var submit = () => SubmitAsync(key, lines);
        var error = (await submit.Should().ThrowAsync<LimitExceededException>()).Which;
        error.Code.Should().Be(code);
        return error;
    }
}
