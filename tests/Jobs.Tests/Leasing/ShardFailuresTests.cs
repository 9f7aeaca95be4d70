using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

public sealed class ShardFailuresTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal) { ["m"] = new() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_failed_shard_waits_longer_each_time_and_says_why()
    {
        await using var worker = TestWorker.Create(
            database,
            _models,
            ("Jobs:RetryDelay", "00:01:00"),
            ("Jobs:MaxAttempts", "4")
        );
        var job = await database.InsertJobAsync("m");

        var delays = new List<double>();
        for (int i = 0; i < 3; i++)
        {
            (await FailAsync(worker, job)).Should().Be(FailureOutcome.Retried);
            delays.Add(
                await database.ScalarAsync<double>(
                    "SELECT extract(epoch FROM not_before - now())::double precision FROM shard WHERE job_id = $1",
                    job
                )
            );
            await database.ExecuteAsync("UPDATE shard SET not_before = NULL WHERE job_id = $1", job);
        }

        delays.Select(delay => Math.Round(delay / 60)).Should().Equal(1, 2, 4);
        (
            await database.ScalarAsync<string>(
                "SELECT error_code || ': ' || error_message FROM shard WHERE job_id = $1",
                job
            )
        )
            .Should()
            .Be("x: went wrong");
    }

    [Fact]
    public async Task A_shard_that_used_its_attempts_is_split_and_keeps_all_its_lines()
    {
        await using var worker = TestWorker.Create(database, _models, ("Jobs:MaxAttempts", "1"));
        var job = await database.InsertJobAsync("m", linesPerShard: 5);

        (await FailAsync(worker, job)).Should().Be(FailureOutcome.Split);

        (await database.ScalarAsync<int>("SELECT shards FROM job WHERE id = $1", job)).Should().Be(2);
        (await ReadAsync(job, 0)).Should().Equal("line 0", "line 1");
        (await ReadAsync(job, 2)).Should().Equal("line 2", "line 3", "line 4");
        (await database.CountShardsAsync(job, "waiting")).Should().Be(2);
    }

    [Fact]
    public async Task A_half_gets_one_attempt_before_it_is_split_again_and_a_single_line_all_of_them()
    {
        await using var worker = TestWorker.Create(database, _models, ("Jobs:RetryDelay", "00:00:00"));
        var job = await database.InsertJobAsync("m", linesPerShard: 3);

        List<FailureOutcome> outcomes = [];
        for (int i = 0; i < 6; i++)
        {
            outcomes.Add(await FailAsync(worker, job));
        }

        outcomes
            .Should()
            .Equal(
                FailureOutcome.Retried,
                FailureOutcome.Retried,
                FailureOutcome.Split,
                // Line 0 alone.
                FailureOutcome.Retried,
                FailureOutcome.Retried,
                FailureOutcome.GivenUp
            );
        (await FailAsync(worker, job, firstLine: 1)).Should().Be(FailureOutcome.Split);
    }

    [Fact]
    public async Task A_line_that_is_given_up_is_an_error_with_its_reason_and_completes_its_job()
    {
        await using var worker = TestWorker.Create(database, _models, ("Jobs:MaxAttempts", "1"));
        var job = await database.InsertJobAsync("m", linesPerShard: 1);

        (await FailAsync(worker, job)).Should().Be(FailureOutcome.GivenUp);

        var error = (await database.ReadResultsAsync(job)).Should().ContainSingle().Which.Result.Error!;
        error.Code.Should().Be(LineErrorCodes.Poison);
        error.Message.Should().Contain("went wrong").And.Contain("1 attempts");
        (await database.JobStateAsync(job)).Should().Be("completed");
        (await database.ScalarAsync<long>("SELECT lines_failed FROM job WHERE id = $1", job)).Should().Be(1);
    }

    [Fact]
    public async Task Who_lost_the_lease_can_not_fail_the_shard()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("m");
        var shard = await TakeAsync(worker, job, 0);
        await database.ExecuteAsync("UPDATE shard SET lease = gen_random_uuid() WHERE job_id = $1", job);

        var outcome = await FailAsync(worker, shard!);

        outcome.Should().Be(FailureOutcome.NotOurs);
        (await database.CountShardsAsync(job, "running")).Should().Be(1);
    }

    private async Task<List<string?>> ReadAsync(Guid job, long firstLine)
    {
        byte[] input = await database.ScalarAsync<byte[]>(
            "SELECT input FROM shard WHERE job_id = $1 AND first_line = $2",
            job,
            firstLine
        );
        return [.. ShardInput.Read(input).Select(line => line.Text)];
    }

    private async Task<FailureOutcome> FailAsync(TestWorker worker, Guid job, long firstLine = 0)
    {
        var shard = await TakeAsync(worker, job, firstLine);
        return await FailAsync(worker, shard!);
    }

    private static Task<FailureOutcome> FailAsync(TestWorker worker, LeasedShard shard) =>
        worker
            .Get<ShardFailures>()
            .FailAsync(shard.JobId, shard.ShardId, shard.Token, "x", "went wrong", onlyExpired: false, Cancellation);

    private async Task<LeasedShard?> TakeAsync(TestWorker worker, Guid job, long firstLine) =>
        await worker
            .Get<ShardLeases>()
            .TakeAsync(job, await database.ShardIdAsync(job, firstLine), "cpu:0", Cancellation);
}
