using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Submission.Tests;

public sealed class ScheduledSubmitTests(JobStore store) : IClassFixture<JobStore>
{
    private static readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_keeps_its_start_and_its_deadline()
    {
        // PostgreSQL keeps microseconds.
        var start = new DateTimeOffset(2100, 1, 2, 3, 4, 5, TimeSpan.FromHours(2));

        var submitted = await SubmitAsync(start, start.AddHours(1));

        var job = await store.Directory.FindAsync(submitted.Job.Id, Cancellation);
        job!.StartAt.Should().Be(start);
        job.Deadline.Should().Be(start.AddHours(1));
    }

    [Theory]
    [InlineData(null, -1)]
    [InlineData(10, 5)]
    [InlineData(10, 10)]
    public async Task A_deadline_that_can_not_be_met_is_refused(int? startMinutes, int deadlineMinutes)
    {
        var submit = () =>
            SubmitAsync(
                startMinutes is { } minutes ? _now.AddMinutes(minutes) : null,
                _now.AddMinutes(deadlineMinutes)
            );

        var refusal = (await submit.Should().ThrowAsync<SubmissionException>()).Which;
        refusal.Code.Should().Be(SubmissionCodes.FieldInvalid);
        refusal.Field.Should().Be("deadline");
    }

    [Fact]
    public async Task Another_deadline_is_another_request()
    {
        await SubmitAsync(null, _now.AddHours(1), key: "k");

        var submit = () => SubmitAsync(null, _now.AddHours(2), key: "k");

        (await submit.Should().ThrowAsync<SubmissionException>())
            .Which.Code.Should()
            .Be(SubmissionCodes.IdempotencyKeyReused);
    }

    private Task<SubmittedJob> SubmitAsync(DateTimeOffset? start, DateTimeOffset? deadline, string? key = null) =>
        store.Submitter.SubmitAsync(
            new JobRequest
            {
                Model = JobStore.Model,
                StartAt = start,
                Deadline = deadline,
                IdempotencyKey = key,
            },
            JobStore.Lines("a"),
            Cancellation
        );
}
