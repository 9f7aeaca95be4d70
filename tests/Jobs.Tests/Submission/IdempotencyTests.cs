using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Submission.Tests;

public sealed class IdempotencyTests(JobStore store) : IClassFixture<JobStore>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_request_again_is_the_same_job()
    {
        var first = await SubmitAsync("same", "a", "b");
        var again = await SubmitAsync("same", "a", "b");

        first.Created.Should().BeTrue();
        again.Created.Should().BeFalse();
        again.Job.Should().BeEquivalentTo(first.Job);
    }

    [Fact]
    public async Task The_same_large_request_again_is_the_same_job()
    {
        string[] lines = [.. Enumerable.Repeat(new string('x', 600_000), 12)];

        var first = await SubmitAsync("large", lines);
        var again = await SubmitAsync("large", lines);
        var other = () => SubmitAsync("large", [.. lines, "one more"]);

        again.Created.Should().BeFalse();
        again.Job.Id.Should().Be(first.Job.Id);
        await IsRefusedAsync(other, SubmissionCodes.IdempotencyKeyReused);
        (await store.ShardsAsync(first.Job.Id)).Sum(shard => shard.Lines).Should().Be(12);
    }

    [Fact]
    public async Task Other_lines_or_another_request_under_the_key_are_refused()
    {
        await SubmitAsync("other", "a", "b");

        await IsRefusedAsync(() => SubmitAsync("other", "a", "c"), SubmissionCodes.IdempotencyKeyReused);
        await IsRefusedAsync(() => SubmitAsync("other", "ab"), SubmissionCodes.IdempotencyKeyReused);
        var parameters = new GenerationParameters { NumBeams = 2 };
        var request = new JobRequest
        {
            Model = JobStore.Model,
            IdempotencyKey = "other",
            Parameters = parameters,
        };
        await IsRefusedAsync(
            () => store.Submitter.SubmitAsync(request, JobStore.Lines("a", "b"), Cancellation),
            SubmissionCodes.IdempotencyKeyReused
        );
    }

    [Fact]
    public async Task Ten_at_once_make_one_job()
    {
        var submitted = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SubmitAsync("at once", "a", "b")));

        submitted.Count(one => one.Created).Should().Be(1);
        submitted.Select(one => one.Job.Id).Distinct().Should().ContainSingle();
        (await store.ShardsAsync(submitted[0].Job.Id)).Sum(shard => shard.Lines).Should().Be(2);
    }

    [Fact]
    public async Task While_the_first_is_sending_its_lines_another_is_refused()
    {
        var refused = new TaskCompletionSource();
        async IAsyncEnumerable<SourceLine> Lines()
        {
            foreach (string line in Enumerable.Repeat(new string('x', 600_000), 12))
            {
                yield return new SourceLine { Text = line };
            }

            await IsRefusedAsync(() => SubmitAsync("in flight", "a"), SubmissionCodes.IdempotencyKeyInFlight);
            refused.SetResult();
        }

        var request = new JobRequest { Model = JobStore.Model, IdempotencyKey = "in flight" };
        await store.Submitter.SubmitAsync(request, Lines(), Cancellation);

        refused.Task.IsCompleted.Should().BeTrue();
    }

    [Fact]
    public async Task A_key_is_free_again_when_its_job_has_expired()
    {
        var first = await SubmitAsync("expired", "a");
        await store.FinishAllAsync(first.Job.Id);
        await store.Database.ExecuteAsync("UPDATE job SET expires_at = now() WHERE id = $1", first.Job.Id);

        var second = await SubmitAsync("expired", "b");

        second.Created.Should().BeTrue();
        second.Job.Id.Should().NotBe(first.Job.Id);
    }

    [Fact]
    public async Task A_refused_submit_leaves_the_key_free()
    {
        await IsRefusedAsync(() => SubmitAsync("free"), SubmissionCodes.InputEmpty);

        (await SubmitAsync("free", "a")).Created.Should().BeTrue();
    }

    private Task<SubmittedJob> SubmitAsync(string key, params string[] lines) =>
        store.Submitter.SubmitAsync(
            new JobRequest { Model = JobStore.Model, IdempotencyKey = key },
            JobStore.Lines(lines),
            Cancellation
        );

    private static async Task IsRefusedAsync(Func<Task<SubmittedJob>> submit, string code) =>
        (await submit.Should().ThrowAsync<SubmissionException>()).Which.Code.Should().Be(code);
}
