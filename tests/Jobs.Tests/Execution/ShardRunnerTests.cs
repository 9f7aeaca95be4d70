using System.Buffers;
using Microsoft.Extensions.DependencyInjection;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Execution.Tests;

public sealed class ShardRunnerTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Results_stand_in_input_order_and_name_the_load_that_served_them()
    {
        var model = new TestModel();
        await using var worker = Create(model);
        var job = await database.InsertJobAsync(TestWorker.Model, linesPerShard: 50);

        await RunAsync(worker, model, job);

        await database.ShouldHaveEveryAnswerAsync(job, lines: 50);
        (
            await database.ScalarAsync<string>(
                "SELECT model_load.served_by FROM shard_result JOIN model_load ON model_load.id = load_id WHERE job_id = $1",
                job
            )
        )
            .Should()
            .Be(TestWorker.Model);
    }

    [Fact]
    public async Task Lines_that_can_not_be_read_keep_their_error_and_the_others_are_answered()
    {
        var model = new TestModel();
        await using var worker = Create(model);
        var job = await database.InsertJobAsync(TestWorker.Model, linesPerShard: 3);
        var input = new ArrayBufferWriter<byte>();
        ShardInput.Append(input, new SourceLine { CustomId = "a", Text = "one" });
        ShardInput.Append(
            input,
            new SourceLine
            {
                CustomId = "b",
                Error = new LineError { Code = LineErrorCodes.Malformed, Message = "no text" },
            }
        );
        ShardInput.Append(input, new SourceLine { CustomId = "c", Text = "three" });
        await database.ExecuteAsync("UPDATE shard SET input = $2 WHERE job_id = $1", job, input.WrittenSpan.ToArray());

        await RunAsync(worker, model, job);

        var results = await database.ReadResultsAsync(job);
        results.Select(result => result.CustomId).Should().Equal("a", "b", "c");
        results.Select(result => result.Result.Error?.Code).Should().Equal(null, LineErrorCodes.Malformed, null);
        results[2].Result.Outputs[0].Text.Should().Be("THREE");
        (await database.ScalarAsync<long>("SELECT lines_failed FROM job WHERE id = $1", job)).Should().Be(1);
    }

    [Fact]
    public async Task Equal_lines_of_a_job_are_computed_once_whatever_shards_they_stand_in()
    {
        var model = new TestModel();
        await using var worker = Create(model);
        var job = await database.InsertJobAsync(
            TestWorker.Model,
            shards: 2,
            linesPerShard: 4,
            text: line => $"word {line % 4}"
        );
        var other = await database.InsertJobAsync(TestWorker.Model, linesPerShard: 4, text: line => $"word {line}");

        await RunAsync(worker, model, job);
        await RunAsync(worker, model, job, firstLine: 4);
        model.Lines.Should().Be(4);
        await RunAsync(worker, model, other);

        model.Lines.Should().Be(8);
        await database.ShouldHaveEveryAnswerAsync(job, lines: 8, line => $"word {line % 4}");
    }

    [Fact]
    public async Task Equal_lines_of_a_job_are_each_computed_where_that_is_not_saved()
    {
        var model = new TestModel();
        await using var worker = Create(model, ($"Models:{TestWorker.Model}:Savings:EqualLines", "false"));
        var job = await database.InsertJobAsync(
            TestWorker.Model,
            shards: 2,
            linesPerShard: 4,
            text: line => $"word {line % 4}"
        );

        await RunAsync(worker, model, job);
        await RunAsync(worker, model, job, firstLine: 4);

        model.Lines.Should().Be(8);
        await database.ShouldHaveEveryAnswerAsync(job, lines: 8, line => $"word {line % 4}");
    }

    [Fact]
    public async Task A_model_that_throws_makes_the_shard_wait_and_Hangfire_see_it()
    {
        var model = new TestModel { BeforeBatch = (_, _) => throw new InvalidOperationException("broken") };
        await using var worker = Create(model);
        var job = await database.InsertJobAsync(TestWorker.Model);

        var run = () => RunAsync(worker, model, job);

        await run.Should().ThrowAsync<InvalidOperationException>();
        (await database.CountShardsAsync(job, "waiting")).Should().Be(1);
        (await database.ScalarAsync<string>("SELECT error_code || error_message FROM shard WHERE job_id = $1", job))
            .Should()
            .Be("shard_failedInvalidOperationException: broken");
    }

    [Fact]
    public async Task Parameters_that_the_model_refuses_fail_the_whole_job_and_stop_its_other_shards()
    {
        var model = new TestModel
        {
            BeforeBatch = (_, _) => throw new GenerationParametersException("num_beams", "is 0; expected 1 or more"),
        };
        await using var worker = Create(model);
        var job = await database.InsertJobAsync(TestWorker.Model, shards: 3);

        await RunAsync(worker, model, job);

        (await database.JobStateAsync(job)).Should().Be("failed");
        (await database.ScalarAsync<string>("SELECT error_message FROM job WHERE id = $1", job))
            .Should()
            .Contain("num_beams")
            .And.Contain("expected 1 or more");
        (await database.CountShardsAsync(job, "cancelled")).Should().Be(3);
    }

    [Fact]
    public async Task A_shard_whose_lease_is_lost_is_dropped_without_a_trace()
    {
        var model = new TestModel();
        await using var worker = Create(model);
        var job = await database.InsertJobAsync(TestWorker.Model);
        model.BeforeBatch = async (_, token) =>
        {
            worker.Get<RunningShards>().All.Single().Stop(StopReason.LeaseLost);
            await Task.Delay(Timeout.Infinite, token);
        };

        await RunAsync(worker, model, job);

        (await database.CountShardsAsync(job, "running")).Should().Be(1);
        worker.Get<RunningShards>().Count.Should().Be(0);
    }

    [Fact]
    public async Task A_shard_that_Hangfire_aborts_is_handed_back_and_the_attempt_does_not_count()
    {
        var model = new TestModel();
        await using var worker = Create(model);
        var job = await database.InsertJobAsync(TestWorker.Model);
        using var abort = new CancellationTokenSource();
        model.BeforeBatch = async (_, token) =>
        {
            await abort.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
        };

        await RunAsync(worker, model, job, abort.Token);

        (await database.CountShardsAsync(job, "waiting")).Should().Be(1);
        (await database.ScalarAsync<int>("SELECT attempts FROM shard WHERE job_id = $1", job)).Should().Be(0);
    }

    [Fact]
    public async Task Running_a_shard_twice_computes_it_once()
    {
        var model = new TestModel();
        await using var worker = Create(model);
        var job = await database.InsertJobAsync(TestWorker.Model);

        await RunAsync(worker, model, job);
        await RunAsync(worker, model, job);

        model.Lines.Should().Be(3);
    }

    private TestWorker Create(TestModel model, params (string Key, string Value)[] settings) =>
        TestWorker.Create(
            database,
            new Dictionary<string, TestModel>(StringComparer.Ordinal) { [TestWorker.Model] = model },
            settings
        );

    private async Task RunAsync(
        TestWorker worker,
        TestModel model,
        Guid job,
        CancellationToken? abort = null,
        long firstLine = 0
    )
    {
        var slot = worker.Get<LocalSlots>().All[0];
        if (model.Loads == 0)
        {
            await worker.Get<SlotLoader>().LoadAsync(slot, Cancellation);
        }

        var runner = ActivatorUtilities.CreateInstance<ShardRunner>(worker.Services, slot);
        await runner.RunAsync(job, await database.ShardIdAsync(job, firstLine), abort ?? Cancellation);
    }
}
