using System.Collections.Concurrent;
using Hangfire;
using Microsoft.Extensions.Time.Testing;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class WorkerServiceTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_of_many_shards_runs_to_its_end_and_every_line_is_answered_once()
    {
        var model = new TestModel();
        await using var worker = await TestWorker.StartAsync(database, model, ("Slots:1:Device", "cpu:1"));

        var job = await database.InsertJobAsync(TestWorker.Model, shards: 20, linesPerShard: 5);

        await database.ShouldHaveEveryAnswerAsync(job, lines: 100);
        model.Lines.Should().Be(100);
    }

    [Fact]
    public async Task A_jobs_next_shard_waits_for_the_end_of_another_and_not_for_the_clock()
    {
        const int shards = 12;
        const int atOnce = 3;
        using SemaphoreSlim goOn = new(0);
        int begun = 0;
        var model = new TestModel
        {
            BeforeBatch = (_, cancellationToken) =>
            {
                Interlocked.Increment(ref begun);
                return goOn.WaitAsync(cancellationToken);
            },
        };
        // Its clock stands still, so that it looks for nothing by itself; nor does it say that it lives.
        var still = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var worker = await TestWorker.StartAsync(
            database,
            model,
            still,
            ("Jobs:Lease", "00:10:00"),
            ("Jobs:ShardsPerSlot", $"{atOnce}")
        );

        var job = await database.InsertJobAsync(TestWorker.Model, shards);

        for (int ended = 0; ended < shards; ended++)
        {
            int expected = Math.Min(shards, ended + atOnce);
            await Eventually.HoldsAsync(
                () => Task.FromResult(Volatile.Read(ref begun) == expected),
                _patience,
                $"{expected} shards have begun when {ended} have ended"
            );
            goOn.Release();
        }

        await database.WaitForJobAsync(job);
    }

    [Fact]
    public async Task A_poison_line_is_isolated_and_every_other_line_is_answered()
    {
        var model = new TestModel
        {
            BeforeBatch = (texts, _) =>
                texts.Contains("line 13", StringComparer.Ordinal)
                    ? throw new InvalidOperationException("can't")
                    : Task.CompletedTask,
        };
        await using var worker = await TestWorker.StartAsync(database, model);

        var job = await database.InsertJobAsync(TestWorker.Model, shards: 4, linesPerShard: 8);

        await database.WaitForJobAsync(job);
        var results = await database.ReadResultsAsync(job);
        results.Should().HaveCount(32);
        results.Where(result => result.Result.Error is not null).Select(result => result.Line).Should().Equal(13);
        results[14].Result.Outputs[0].Text.Should().Be("LINE 14");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_small_job_is_done_while_large_ones_hold_every_place_that_they_can_get(int count)
    {
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int held = 0;
        var model = new TestModel
        {
            BeforeBatch = (texts, _) =>
            {
                if (texts[0].StartsWith("small", StringComparison.Ordinal))
                {
                    return Task.CompletedTask;
                }

                Interlocked.Increment(ref held);
                return goOn.Task;
            },
        };
        await using var worker = await TestWorker.StartAsync(database, model, ("Jobs:ShardsPerSlot", "2"));
        List<Guid> large = [];
        for (int i = 0; i < count; i++)
        {
            large.Add(await database.InsertJobAsync(TestWorker.Model, shards: 10));
            // The first one's shards fill the places of all; of each that comes later the first begins.
            int expected = 2 + i;
            await Eventually.HoldsAsync(
                () => Task.FromResult(Volatile.Read(ref held) == expected),
                _patience,
                $"{expected} shards of {i + 1} large jobs have begun"
            );
        }

        for (int i = 0; i < 3; i++)
        {
            var small = await database.InsertJobAsync(TestWorker.Model, text: line => $"small {line}");
            await database.WaitForJobAsync(small);
        }

        foreach (var job in large)
        {
            (await database.CountShardsAsync(job, "done")).Should().Be(0);
        }

        goOn.SetResult();
        foreach (var job in large)
        {
            await database.ShouldHaveEveryAnswerAsync(job, lines: 30);
        }
    }

    [Fact]
    public async Task A_model_works_only_where_it_stands()
    {
        ConcurrentBag<string> devices = [];
        var ape = new TestModel { BeforeLoad = (options, _) => devices.Add($"ape {options.Device}") };
        var zebra = new TestModel { BeforeLoad = (options, _) => devices.Add($"zebra {options.Device}") };
        await using var worker = await StartAsync(
            ape,
            zebra,
            ("Slots:1:Device", "cpu:1"),
            ("Models:ape:Device", "cpu:0"),
            ("Models:zebra:Device", "cpu:1")
        );

        var job = await database.InsertJobAsync("zebra", shards: 10);

        await database.WaitForJobAsync(job);
        devices.Should().BeEquivalentTo("ape cpu:0", "zebra cpu:1");
        (await database.ScalarAsync<string[]>("SELECT array(SELECT DISTINCT slot FROM shard WHERE job_id = $1)", job))
            .Should()
            .Equal("cpu:1");
        var servers = worker.Get<JobStorage>().GetMonitoringApi().Servers();
        servers.Should().ContainSingle(server => server.Queues.Contains("5-ape") && !server.Queues.Contains("5-zebra"));
    }

    [Fact]
    public async Task While_a_model_is_refused_the_others_serve_and_its_jobs_say_why_they_wait()
    {
        bool mended = false;
        var ape = new TestModel
        {
            BeforeLoad = (options, _) =>
            {
                if (!Volatile.Read(ref mended))
                {
                    throw TestModel.Refusal(options, "weights_missing", "tensor 'x' is missing");
                }
            },
        };
        await using var worker = await StartAsync(ape, new TestModel());
        var waiting = await database.InsertJobAsync("ape");
        var served = await database.InsertJobAsync("zebra");

        await database.ShouldHaveEveryAnswerAsync(served, lines: 3);
        await Eventually.HoldsAsync(
            async () => await ErrorAsync(waiting) is { } error && error.Contains("tensor 'x' is missing"),
            _patience,
            "the waiting job says why"
        );
        worker.Get<WorkerReadiness>().IsReady.Should().BeTrue();
        var models = await worker.Get<ModelDirectory>().ListModelsAsync(Cancellation);
        models.Select(model => $"{model.Name} {model.State}").Should().Equal("ape failed", "zebra ready");

        Volatile.Write(ref mended, true);
        await worker.Get<ModelDirectory>().RetryLoadAsync("ape", Cancellation);

        await database.ShouldHaveEveryAnswerAsync(waiting, lines: 3);
        (await ErrorAsync(waiting)).Should().BeNull();
    }

    [Fact]
    public async Task A_refused_model_is_tried_again_after_the_interval()
    {
        var ape = new TestModel
        {
            BeforeLoad = (options, number) =>
            {
                if (number == 1)
                {
                    throw TestModel.Refusal(options, "x", "not yet");
                }
            },
        };
        await using var worker = await StartAsync(ape, new TestModel(), ("Jobs:ModelRetryInterval", "00:00:01"));

        var job = await database.InsertJobAsync("ape");

        await database.ShouldHaveEveryAnswerAsync(job, lines: 3);
    }

    [Fact]
    public async Task A_worker_with_no_model_at_all_is_not_ready_and_says_why()
    {
        var model = new TestModel { BeforeLoad = (options, _) => throw TestModel.Refusal(options, "x", "broken file") };
        await using var worker = await TestWorker.StartAsync(database, model);

        var readiness = worker.Get<WorkerReadiness>();

        readiness.IsReady.Should().BeFalse();
        readiness.Slots.Should().ContainSingle().Which.Message.Should().Contain("broken file");
    }

    [Fact]
    public async Task A_model_that_stops_generating_leaves_its_slot_and_its_shards_go_to_another()
    {
        bool broken = false;
        var model = new TestModel();
        int loads = 0;
        model.BeforeLoad = (options, _) => Interlocked.Increment(ref loads);
        model.BeforeBatch = (_, _) =>
            Volatile.Read(ref broken) ? throw new IOException("device lost") : Task.CompletedTask;
        model.BeforeProbe = () =>
        {
            if (Volatile.Read(ref broken))
            {
                throw new IOException("device lost");
            }
        };
        await using var sick = await TestWorker.StartAsync(database, model, ("Jobs:ModelRetryInterval", "00:00:03"));
        Volatile.Write(ref broken, true);
        var job = await database.InsertJobAsync(TestWorker.Model, shards: 6);

        await Eventually.HoldsAsync(
            () => Task.FromResult(!sick.Get<WorkerReadiness>().IsReady),
            _patience,
            "the slot has failed"
        );
        sick.Get<WorkerReadiness>().Slots[0].Models[0].ErrorCode.Should().Be("model_broken");
        (await database.ScalarAsync<int>("SELECT max(attempts) FROM shard WHERE job_id = $1", job)).Should().Be(0);
        await using (var well = await TestWorker.StartAsync(database, new TestModel()))
        {
            await database.ShouldHaveEveryAnswerAsync(job, lines: 18);
        }

        Volatile.Write(ref broken, false);
        await Eventually.HoldsAsync(
            () => Task.FromResult(sick.Get<WorkerReadiness>().IsReady),
            _patience,
            "the model was loaded again"
        );
        // While it was broken it may have been tried in vain as well.
        int loaded = Volatile.Read(ref loads);
        loaded.Should().BeGreaterThanOrEqualTo(2);
        model.Disposed.Should().Be(loaded - 1);
    }

    [Fact]
    public async Task Stopping_lets_running_shards_finish()
    {
        var started = new TaskCompletionSource();
        var model = new TestModel
        {
            BeforeBatch = async (_, token) =>
            {
                started.TrySetResult();
                await Task.Delay(500, token);
            },
        };
        await using var worker = await TestWorker.StartAsync(database, model);
        var job = await database.InsertJobAsync(TestWorker.Model);
        await started.Task.WaitAsync(_patience, Cancellation);

        await worker.StopAsync();

        await database.ShouldHaveEveryAnswerAsync(job, lines: 3);
        model.Disposed.Should().Be(1);
        (await database.ScalarAsync<long>("SELECT count(*) FROM worker WHERE id = $1", worker.Get<WorkerIdentity>().Id))
            .Should()
            .Be(0);
    }

    [Fact]
    public async Task Stopping_hands_back_what_does_not_finish_in_the_drain_time()
    {
        var started = new TaskCompletionSource();
        var slow = new TestModel
        {
            BeforeBatch = async (_, token) =>
            {
                started.TrySetResult();
                await Task.Delay(Timeout.Infinite, token);
            },
        };
        await using var worker = await TestWorker.StartAsync(database, slow, ("Jobs:DrainTime", "00:00:00.5"));
        var job = await database.InsertJobAsync(TestWorker.Model);
        await started.Task.WaitAsync(_patience, Cancellation);

        await worker.StopAsync();

        (await database.CountShardsAsync(job, "waiting")).Should().Be(1);
        (await database.ScalarAsync<int>("SELECT attempts FROM shard WHERE job_id = $1", job)).Should().Be(0);
        await using var next = await TestWorker.StartAsync(database, new TestModel());
        await database.ShouldHaveEveryAnswerAsync(job, lines: 3);
    }

    [Fact]
    public async Task Restarting_in_the_middle_loses_and_doubles_nothing()
    {
        var model = new TestModel { BeforeBatch = (_, token) => Task.Delay(20, token) };
        var worker = await TestWorker.StartAsync(database, model, ("Jobs:DrainTime", "00:00:00"));
        var job = await database.InsertJobAsync(TestWorker.Model, shards: 60, linesPerShard: 4);

        for (int restart = 0; restart < 4; restart++)
        {
            await Task.Delay(150, Cancellation);
            await worker.DisposeAsync();
            worker = await TestWorker.StartAsync(database, model, ("Jobs:DrainTime", "00:00:00"));
        }

        await database.ShouldHaveEveryAnswerAsync(job, lines: 240);
        await worker.DisposeAsync();
    }

    [Fact]
    public async Task A_cancelled_jobs_running_shards_stop_within_seconds()
    {
        var stopped = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        var model = new TestModel
        {
            BeforeBatch = async (_, token) =>
            {
                token.Register(stopped.SetResult);
                started.TrySetResult();
                await Task.Delay(Timeout.Infinite, token);
            },
        };
        await using var worker = await TestWorker.StartAsync(database, model);
        var job = await database.InsertJobAsync(TestWorker.Model);
        await started.Task.WaitAsync(_patience, Cancellation);

        await database.ExecuteAsync("UPDATE job SET state = 'cancelled', finished_at = now() WHERE id = $1", job);
        await database.ExecuteAsync(
            "UPDATE shard SET state = 'cancelled', lease = NULL, lease_until = NULL WHERE job_id = $1",
            job
        );

        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(5), Cancellation);
        await Eventually.HoldsAsync(
            () => Task.FromResult(worker.Get<RunningShards>().Count == 0),
            _patience,
            "nothing runs any more"
        );
        (await database.CountShardsAsync(job, "cancelled")).Should().Be(1);
    }

    [Fact]
    public async Task Two_workers_share_a_job_and_each_line_is_computed_once()
    {
        var one = new TestModel { BeforeBatch = (_, token) => Task.Delay(10, token) };
        var other = new TestModel { BeforeBatch = (_, token) => Task.Delay(10, token) };
        await using var first = await TestWorker.StartAsync(database, one);
        await using var second = await TestWorker.StartAsync(database, other);

        var job = await database.InsertJobAsync(TestWorker.Model, shards: 60);

        await database.ShouldHaveEveryAnswerAsync(job, lines: 180);
        (one.Lines + other.Lines).Should().Be(180);
        one.Lines.Should().BePositive();
        other.Lines.Should().BePositive();
    }

    private Task<TestWorker> StartAsync(TestModel ape, TestModel zebra, params (string, string)[] settings) =>
        TestWorker.StartAsync(
            database,
            new Dictionary<string, TestModel>(StringComparer.Ordinal) { ["ape"] = ape, ["zebra"] = zebra },
            settings
        );

    private async Task<string?> ErrorAsync(Guid job) =>
        await database.ScalarAsync<string>("SELECT coalesce(error_message, '') FROM job WHERE id = $1", job)
            is { Length: > 0 } error
            ? error
            : null;
}
