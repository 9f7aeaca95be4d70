using System.Threading.Channels;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Submission.Tests;

public sealed class JobSubmitterTests(JobStore store) : IClassFixture<JobStore>
{
    private static readonly string _longLine = new('x', 600_000);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_is_stored_as_it_was_asked_for()
    {
        var request = new JobRequest
        {
            Model = "LETTERS",
            Name = "Grüße 😀",
            Parameters = new GenerationParameters { NumBeams = 4, MaxNewTokens = 7 },
            Priority = 2,
            Retention = TimeSpan.FromHours(3),
        };

        var submitted = await store.Submitter.SubmitAsync(request, JobStore.Lines("a", "b"), Cancellation);

        submitted.Created.Should().BeTrue();
        var found = await store.Directory.FindAsync(submitted.Job.Id, Cancellation);
        found.Should().BeEquivalentTo(submitted.Job);
        found
            .Should()
            .BeEquivalentTo(
                new
                {
                    Model = JobStore.Model,
                    request.Name,
                    request.Parameters,
                    request.Priority,
                    State = JobState.Queued,
                    Lines = 2L,
                    Bytes = 4L,
                    LinesDone = 0L,
                    Shards = 2,
                    ExpiresAt = (DateTimeOffset?)null,
                }
            );
        (await store.Database.ScalarAsync<TimeSpan>("SELECT retention FROM job WHERE id = $1", found!.Id))
            .Should()
            .Be(TimeSpan.FromHours(3));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(95)]
    public async Task Every_line_stands_in_one_shard_in_order(int lines)
    {
        var job = await store.SubmitAsync(lines);

        (await ReadInputAsync(job.Id)).Should().Equal(Enumerable.Range(0, lines).Select(i => $"line {i}"));
    }

    [Fact]
    public async Task A_large_job_arrives_in_batches_and_is_closed_to_workers_until_its_last_line()
    {
        var observed = new TaskCompletionSource<(string State, long Shards)>();
        var lines = Then(
            Enumerable.Repeat(_longLine, 12),
            async () =>
            {
                const string sql = "SELECT state FROM job WHERE name = 'large'";
                string state = await store.Database.ScalarAsync<string>(sql);
                long shards = await store.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM shard JOIN job ON job.id = job_id WHERE job.name = 'large'"
                );
                observed.SetResult((state, shards));
            }
        );

        var submitted = await store.Submitter.SubmitAsync(
            new JobRequest { Model = JobStore.Model, Name = "large" },
            lines,
            Cancellation
        );

        (await observed.Task)
            .Should()
            .Match<(string State, long Shards)>(seen => seen.State == "receiving" && seen.Shards > 0);
        submitted.Job.State.Should().Be(JobState.Queued);
        submitted.Job.Lines.Should().Be(12);
        (await ReadInputAsync(submitted.Job.Id)).Should().HaveCount(12).And.AllBe(_longLine);
        (await store.ShardsAsync(submitted.Job.Id)).Should().HaveCount(submitted.Job.Shards);
    }

    [Fact]
    public async Task What_is_held_in_memory_does_not_grow_with_the_input()
    {
        long sent = 0;
        long mostHeld = 0;
        async IAsyncEnumerable<SourceLine> Lines()
        {
            for (int i = 0; i < 25; i++)
            {
                long stored = await store.Database.ScalarAsync<long>(
                    """
                    SELECT coalesce(sum(length(input)), 0) FROM shard JOIN job ON job.id = job_id
                    WHERE job.name = 'constant memory'
                    """
                );
                mostHeld = Math.Max(mostHeld, sent - stored);
                yield return new SourceLine { Text = _longLine };
                sent += _longLine.Length;
            }
        }

        await store.Submitter.SubmitAsync(
            new JobRequest { Model = JobStore.Model, Name = "constant memory" },
            Lines(),
            Cancellation
        );

        sent.Should().Be(25 * 600_000);
        // A batch of four megabytes, and the shards that open and close it.
        mostHeld.Should().BeLessThan(6 * 1024 * 1024);
    }

    [Fact]
    public async Task A_submit_that_breaks_off_leaves_nothing()
    {
        var lines = Then(Enumerable.Repeat(_longLine, 12), () => throw new IOException("The sender is gone."));
        var request = new JobRequest { Model = JobStore.Model, Name = "broken off" };

        var submit = () => store.Submitter.SubmitAsync(request, lines, Cancellation);

        await submit.Should().ThrowAsync<IOException>();
        (await store.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE name = 'broken off'")).Should().Be(0);
    }

    [Fact]
    public async Task A_job_that_is_cancelled_while_it_arrives_takes_no_more_lines()
    {
        var request = new JobRequest { Model = JobStore.Model, Name = "cancelled early" };
        Guid id = default;
        var lines = Then(
            Enumerable.Repeat(_longLine, 12),
            async () =>
            {
                id = await store.Database.ScalarAsync<Guid>("SELECT id FROM job WHERE name = 'cancelled early'");
                await store.Directory.CancelAsync(id, Cancellation);
            }
        );

        var submit = () => store.Submitter.SubmitAsync(request, lines, Cancellation);

        (await submit.Should().ThrowAsync<SubmissionException>()).Which.Code.Should().Be(SubmissionCodes.JobCancelled);
        (await store.Directory.FindAsync(id, Cancellation))!.State.Should().Be(JobState.Cancelled);
        (await store.ShardsAsync(id)).Should().OnlyContain(shard => shard.State == "cancelled");
    }

    [Fact]
    public async Task A_submit_that_was_given_up_takes_no_more_lines()
    {
        var request = new JobRequest { Model = JobStore.Model, Name = "given up" };
        var lines = Then(
            Enumerable.Repeat(_longLine, 12),
            () =>
                store.Database.ExecuteAsync(
                    "UPDATE job SET expires_at = now() - interval '1 second' WHERE name = 'given up'"
                )
        );

        var submit = () => store.Submitter.SubmitAsync(request, lines, Cancellation);

        (await submit.Should().ThrowAsync<SubmissionException>()).Which.Code.Should().Be(SubmissionCodes.JobCancelled);
        await store.Retention.DeleteExpiredAsync(Cancellation);
        (await store.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE name = 'given up'")).Should().Be(0);
    }

    [Fact]
    public async Task Workers_are_told_of_a_new_job()
    {
        var told = Channel.CreateUnbounded<string>();
        using var subscription = store.Listener.Subscribe(
            NotificationChannels.Waiting,
            payload => told.Writer.TryWrite(payload)
        );

        var job = await store.SubmitAsync("a");

        // Those of earlier tests may still be on their way.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        await told.Reader.ReadAllAsync(limit.Token).FirstAsync(id => id == job.Id.ToString(), limit.Token);
    }

    [Fact]
    public async Task A_job_needs_a_line()
    {
        await RefusesAsync(new JobRequest { Model = JobStore.Model }, SubmissionCodes.InputEmpty, "input", lines: []);
    }

    [Fact]
    public async Task An_input_over_the_limit_is_refused_and_leaves_nothing()
    {
        string[] lines = [.. Enumerable.Repeat(_longLine, 40)];
        var request = new JobRequest { Model = JobStore.Model, Name = "too large" };

        await RefusesAsync(request, SubmissionCodes.InputTooLarge, "input", lines);

        (await store.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE name = 'too large'")).Should().Be(0);
    }

    public static TheoryData<JobRequest, string> WrongRequests =>
        new()
        {
            {
                new JobRequest { Model = JobStore.Model, Priority = 10 },
                "priority"
            },
            {
                new JobRequest { Model = JobStore.Model, Priority = -1 },
                "priority"
            },
            {
                new JobRequest { Model = JobStore.Model, Name = new string('n', 201) },
                "name"
            },
            {
                new JobRequest { Model = JobStore.Model, Name = "a\0b" },
                "name"
            },
            {
                new JobRequest { Model = JobStore.Model, Name = "half \ud83d" },
                "name"
            },
            {
                new JobRequest { Model = JobStore.Model, IdempotencyKey = "" },
                "idempotency_key"
            },
            {
                new JobRequest { Model = JobStore.Model, IdempotencyKey = new string('k', 256) },
                "idempotency_key"
            },
            {
                new JobRequest { Model = JobStore.Model, Retention = TimeSpan.Zero },
                "retention"
            },
            {
                new JobRequest { Model = JobStore.Model, Retention = TimeSpan.FromDays(4000) },
                "retention"
            },
        };

    [Theory]
    [MemberData(nameof(WrongRequests))]
    public async Task A_wrong_field_is_refused_by_name(JobRequest request, string field)
    {
        await RefusesAsync(request, SubmissionCodes.FieldInvalid, field, "a");
    }

    [Fact]
    public async Task A_parameter_out_of_range_is_refused_by_name()
    {
        var request = new JobRequest
        {
            Model = JobStore.Model,
            Parameters = new GenerationParameters { NumBeams = 0 },
        };

        await RefusesAsync(request, SubmissionCodes.ParameterInvalid, "parameters.num_beams", "a");
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("a\0b")]
    public async Task An_unknown_model_is_refused(string model)
    {
        var error = await RefusesAsync(new JobRequest { Model = model }, SubmissionCodes.ModelUnknown, "model", "a");

        error.Message.Should().Contain(JobStore.Model);
    }

    [Fact]
    public async Task A_model_that_only_a_worker_holds_is_known()
    {
        await store.Database.ExecuteAsync(
            """
            INSERT INTO worker (id, process_id, host, version) VALUES ('w', 1, 'h', '1');
            INSERT INTO slot (worker_id, name, device, threads, state) VALUES ('w', 'cpu:0', 'cpu:0', 1, 'ready');
            INSERT INTO slot_model (worker_id, slot, model, state) VALUES ('w', 'cpu:0', 'Elsewhere', 'ready');
            """
        );

        var submitted = await store.Submitter.SubmitAsync(
            new JobRequest { Model = "elsewhere" },
            JobStore.Lines("a"),
            Cancellation
        );

        submitted.Job.Model.Should().Be("Elsewhere");
    }

    [Fact]
    public async Task Lines_that_can_not_be_stored_become_errors_in_their_place()
    {
        SourceLine[] lines =
        [
            new() { CustomId = "a", Text = new string('x', SourceLine.MaxBytes + 1) },
            new() { CustomId = "b", Text = "half \ud83d" },
            new() { CustomId = "c" },
            new()
            {
                CustomId = "d",
                Text = "x",
                InputIds = [1],
            },
            new() { CustomId = new string('e', SourceLine.MaxCustomIdLength + 1), Text = "x" },
            new() { CustomId = "f", Text = "" },
        ];

        var submitted = await store.Submitter.SubmitAsync(
            new JobRequest { Model = JobStore.Model },
            lines.ToAsyncEnumerable(),
            Cancellation
        );

        var stored = await ReadLinesAsync(submitted.Job.Id);
        stored
            .Select(line => line.Error?.Code)
            .Should()
            .Equal("line_too_long", "line_malformed", "line_malformed", "line_malformed", "line_malformed", null);
        stored.Select(line => line.CustomId).Should().Equal("a", null, "c", "d", null, "f");
    }

    private async Task<SubmissionException> RefusesAsync(
        JobRequest request,
        string code,
        string field,
        params string[] lines
    )
    {
        var submit = () => store.Submitter.SubmitAsync(request, JobStore.Lines(lines), Cancellation);
        var error = (await submit.Should().ThrowAsync<SubmissionException>()).Which;
        error.Code.Should().Be(code);
        error.Field.Should().Be(field);
        return error;
    }

    private async Task<IReadOnlyList<string?>> ReadInputAsync(Guid jobId) =>
        [.. (await ReadLinesAsync(jobId)).Select(line => line.Text)];

    private async Task<IReadOnlyList<SourceLine>> ReadLinesAsync(Guid jobId)
    {
        List<SourceLine> lines = [];
        foreach (var shard in await store.ShardsAsync(jobId))
        {
            byte[] input = await store.Database.ScalarAsync<byte[]>("SELECT input FROM shard WHERE id = $1", shard.Id);
            var read = ShardInput.Read(input);
            read.Should().HaveCount(shard.Lines);
            lines.AddRange(read);
        }

        return lines;
    }

    private static async IAsyncEnumerable<SourceLine> Then(IEnumerable<string> texts, Func<Task> last)
    {
        foreach (string text in texts)
        {
            await Task.Yield();
            yield return new SourceLine { Text = text };
        }

        await last();
    }
}
