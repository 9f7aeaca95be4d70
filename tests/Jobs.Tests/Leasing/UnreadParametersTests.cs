using Microsoft.Extensions.DependencyInjection;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

/// <summary>The worker here is the old one: the jobs' parameters are of a version that is yet to come.</summary>
public sealed class UnreadParametersTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const string New = """{"telepathy": true}""";

    private readonly TestModel _model = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await database.ExecuteAsync("TRUNCATE job, worker CASCADE");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_shard_with_a_parameter_that_is_unknown_here_waits_for_others_and_the_attempt_does_not_count()
    {
        await using var worker = Create("00:10:00");
        var job = await database.InsertJobAsync(TestWorker.Model, parameters: New);

        await RunAsync(worker, job);

        (await database.JobStateAsync(job)).Should().Be("running");
        (await database.ScalarAsync<string>("SELECT state || ' ' || attempts FROM shard WHERE job_id = $1", job))
            .Should()
            .Be("waiting 0");
        (await database.ScalarAsync<string>("SELECT error_message FROM shard WHERE job_id = $1", job))
            .Should()
            .Contain("'telepathy'");
        _model.Lines.Should().Be(0);
    }

    [Fact]
    public async Task Whoever_can_read_them_runs_the_shard_that_was_handed_back()
    {
        await using var worker = Create("00:10:00");
        var job = await database.InsertJobAsync(TestWorker.Model, parameters: New);
        await RunAsync(worker, job);

        // What the newer worker makes of them.
        await database.ExecuteAsync("UPDATE job SET parameters = '{}' WHERE id = $1", job);
        await RunAsync(worker, job);

        await database.ShouldHaveEveryAnswerAsync(job, lines: 3);
        (await database.ScalarAsync<int>("SELECT attempts FROM shard WHERE job_id = $1", job)).Should().Be(1);
        (await database.ScalarAsync<bool>("SELECT error_code IS NULL FROM shard WHERE job_id = $1", job))
            .Should()
            .BeTrue();
    }

    [Fact]
    public async Task When_nobody_has_been_able_to_for_the_whole_wait_the_job_fails_with_the_parameters_name()
    {
        await using var worker = Create("00:00:00");
        var job = await database.InsertJobAsync(TestWorker.Model, shards: 2, parameters: New);

        await RunAsync(worker, job);

        (await database.ScalarAsync<string>("SELECT state || ' ' || error_code FROM job WHERE id = $1", job))
            .Should()
            .Be("failed parameter_invalid");
        (await database.ScalarAsync<string>("SELECT error_message FROM job WHERE id = $1", job))
            .Should()
            .Contain("'telepathy'");
        (await database.CountShardsAsync(job, "cancelled")).Should().Be(2);
    }

    [Fact]
    public async Task As_long_as_a_worker_that_knows_them_lives_the_job_does_not_fail()
    {
        await using var worker = Create("00:00:00");
        var job = await database.InsertJobAsync(TestWorker.Model, parameters: New);
        await StandAsync([.. UnreadParameters.KnownNames, "telepathy"]);

        await RunAsync(worker, job);

        (await database.CountShardsAsync(job, "waiting")).Should().Be(1);
        await database.ExecuteAsync("UPDATE worker SET heartbeat_at = now() - interval '1 hour'");
        await RunAsync(worker, job);
        (await database.JobStateAsync(job)).Should().Be("failed");
    }

    [Fact]
    public async Task Of_a_value_that_can_not_be_read_here_workers_with_the_same_names_are_no_help()
    {
        await using var worker = Create("00:00:00");
        var job = await database.InsertJobAsync(TestWorker.Model, parameters: """{"num_beams": "a few"}""");
        await StandAsync(UnreadParameters.KnownNames);

        await RunAsync(worker, job);

        (await database.ScalarAsync<string>("SELECT error_message FROM job WHERE id = $1", job))
            .Should()
            .Contain("'num_beams'");
    }

    [Fact]
    public async Task A_retried_job_waits_anew()
    {
        await using var worker = Create("00:00:00");
        var job = await database.InsertJobAsync(TestWorker.Model, parameters: New);
        await RunAsync(worker, job);

        await worker.Get<JobDirectory>().RetryAsync(job, Cancellation);

        (await database.ScalarAsync<bool>("SELECT unread_since IS NULL FROM shard WHERE job_id = $1", job))
            .Should()
            .BeTrue();
    }

    private TestWorker Create(string wait) =>
        TestWorker.Create(
            database,
            new Dictionary<string, TestModel>(StringComparer.Ordinal) { [TestWorker.Model] = _model },
            ("Jobs:NewerWorkerWait", wait),
            ("Jobs:RetryDelay", "00:00:00")
        );

    private async Task RunAsync(TestWorker worker, Guid job)
    {
        var slot = worker.Get<LocalSlots>().All[0];
        if (_model.Loads == 0)
        {
            await worker.Get<SlotLoader>().LoadAsync(slot, Cancellation);
        }

        var runner = ActivatorUtilities.CreateInstance<ShardRunner>(worker.Services, slot);
        await runner.RunAsync(job, await database.ShardIdAsync(job), Cancellation);
    }

    /// <summary>The model is ready on a live worker that knows these parameters.</summary>
    private async Task StandAsync(string[] parameters)
    {
        // It lives on, however long the test takes.
        await database.ExecuteAsync(
            """
            INSERT INTO worker (id, process_id, host, version, heartbeat_at, parameters)
            VALUES ('other', 1, 'h', '2', now() + interval '1 hour', string_to_array($1, ' '))
            """,
            string.Join(' ', parameters)
        );
        await database.ExecuteAsync(
            "INSERT INTO slot (worker_id, name, device, threads, state) VALUES ('other', 'cpu:0', 'cpu:0', 1, 'ready')"
        );
        await database.ExecuteAsync(
            "INSERT INTO slot_model (worker_id, slot, model, state) VALUES ('other', 'cpu:0', $1, 'ready')",
            TestWorker.Model
        );
    }
}
