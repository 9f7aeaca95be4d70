using System.Globalization;
using Npgsql;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class FeederTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal)
    {
        ["ape"] = new(),
        ["zebra"] = new(),
    };

    private const string Awaited = """
        SELECT EXISTS (
            SELECT FROM pg_locks
            JOIN pg_database ON pg_database.oid = pg_locks.database
            WHERE pg_locks.locktype = 'advisory' AND NOT pg_locks.granted AND pg_database.datname = current_database()
        )
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        await database.ExecuteAsync("TRUNCATE job, worker, model_pause, hangfire.jobqueue CASCADE");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Shards_of_a_model_that_stands_nowhere_wait_in_our_table()
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("ape");

        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(0);

        (await database.CountShardsAsync(job, "waiting")).Should().Be(1);
    }

    [Fact]
    public async Task Shards_of_a_dead_workers_model_are_not_fed()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        await database.ExecuteAsync("UPDATE worker SET heartbeat_at = now() - interval '1 minute'");
        await database.InsertJobAsync("ape");

        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(0);
    }

    [Fact]
    public async Task Half_as_many_shards_stand_in_the_queue_as_slots_run_at_once()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 8);
        var job = await database.InsertJobAsync("ape", shards: 20);

        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(4);
        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(0);

        (await database.CountShardsAsync(job, "queued")).Should().Be(4);
        (await QueueAsync()).Should().HaveCount(4);
    }

    [Fact]
    public async Task No_more_of_one_job_stand_in_the_queue_than_its_window()
    {
        await using var worker = TestWorker.Create(database, _models, ("Jobs:FeedWindow", "3"));
        await StandAsync("ape", places: 20);
        var one = await database.InsertJobAsync("ape", shards: 20);
        var other = await database.InsertJobAsync("ape", shards: 20);

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await database.CountShardsAsync(one, "queued")).Should().Be(3);
        (await database.CountShardsAsync(other, "queued")).Should().Be(3);
    }

    [Fact]
    public async Task Jobs_take_turns_and_each_gives_its_first_lines_first()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 8);
        var one = await database.InsertJobAsync("ape", shards: 20);
        var other = await database.InsertJobAsync("ape", shards: 20);

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await QueueAsync()).Should().Equal((one, 0), (other, 0), (one, 3), (other, 3));
    }

    [Fact]
    public async Task A_small_job_passes_a_large_one_that_has_shards_at_work()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 8);
        await database.InsertJobAsync("ape", shards: 100);
        await worker.Get<Feeder>().FeedAsync(Cancellation);
        await RunQueuedAsync();
        var small = await database.InsertJobAsync("ape");

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await QueueAsync())[4].Should().Be((small, 0L));
    }

    [Fact]
    public async Task Large_jobs_that_have_begun_leave_the_reserved_place_to_a_new_one()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 3);
        for (int i = 0; i < 5; i++)
        {
            await InsertBegunJobAsync(shards: 6);
        }

        for (int i = 0; i < 3; i++)
        {
            await worker.Get<Feeder>().FeedAsync(Cancellation);
            await RunQueuedAsync();
        }

        (await database.ScalarAsync<long>("SELECT count(*) FROM shard WHERE state = 'running'")).Should().Be(3);
        var small = await database.InsertJobAsync("ape");

        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(1);

        (await database.CountShardsAsync(small, "queued")).Should().Be(1);
    }

    [Fact]
    public async Task New_jobs_do_not_keep_one_that_has_begun_from_its_places()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 3);
        for (int i = 0; i < 4; i++)
        {
            await database.InsertJobAsync("ape");
        }

        for (int i = 0; i < 2; i++)
        {
            await worker.Get<Feeder>().FeedAsync(Cancellation);
            await RunQueuedAsync();
        }

        var begun = await InsertBegunJobAsync(shards: 10);

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await database.CountShardsAsync(begun, "queued")).Should().Be(2);
    }

    [Fact]
    public async Task A_jobs_further_shards_leave_the_reserved_place_to_another_jobs_first()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 3);
        var large = await database.InsertJobAsync("ape", shards: 100);
        for (int i = 0; i < 3; i++)
        {
            await worker.Get<Feeder>().FeedAsync(Cancellation);
            await RunQueuedAsync();
        }

        (await database.CountShardsAsync(large, "running")).Should().Be(3);
        var small = await database.InsertJobAsync("ape", shards: 2);

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await database.CountShardsAsync(large, "queued")).Should().Be(0);
        (await database.CountShardsAsync(small, "queued")).Should().Be(1);
    }

    [Theory]
    [InlineData("UPDATE worker SET heartbeat_at = now() - interval '1 minute' WHERE id = 'bee'")]
    [InlineData("DELETE FROM worker WHERE id = 'bee'")]
    [InlineData("UPDATE slot SET state = 'draining' WHERE worker_id = 'bee'")]
    public async Task What_a_lost_or_draining_worker_still_holds_takes_no_place_of_the_others(string end)
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 3);
        await StandAsync("bee", places: 3);
        var job = await InsertBegunJobAsync(shards: 20);
        await database.ExecuteAsync(
            """
            UPDATE shard
            SET state = 'running', lease = gen_random_uuid(), lease_until = now() + interval '1 hour',
                worker = 'bee', slot = 'cpu:0'
            WHERE id IN (SELECT id FROM shard ORDER BY first_line LIMIT 3)
            """
        );
        await database.ExecuteAsync(end);

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await database.CountShardsAsync(job, "queued")).Should().Be(2);
    }

    [Theory]
    [InlineData("UPDATE hangfire.jobqueue SET fetchedat = now()")]
    [InlineData("DELETE FROM hangfire.jobqueue")]
    public async Task What_no_longer_stands_in_the_queue_leaves_its_place_before_it_has_begun(string fetch)
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 3);
        await StandAsync("bee", places: 3);
        await database.ExecuteAsync(
            "INSERT INTO slot_model (worker_id, slot, model, state) VALUES ('bee', 'cpu:0', 'ape', 'ready')"
        );
        var job = await InsertBegunJobAsync(shards: 20);
        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(3);
        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(0);
        await database.ExecuteAsync(fetch);

        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(3);
        await database.ExecuteAsync(fetch);

        // As many as both run at once; whether the three that were fetched first still live, nobody knows yet.
        (await worker.Get<Feeder>().FeedAsync(Cancellation))
            .Should()
            .Be(0);
        (await database.CountShardsAsync(job, "queued")).Should().Be(6);
    }

    [Fact]
    public async Task New_jobs_whose_shards_were_fetched_and_have_not_begun_leave_the_later_ones_their_turn()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 3);
        for (int i = 0; i < 6; i++)
        {
            await database.InsertJobAsync("ape");
        }

        for (int i = 0; i < 3; i++)
        {
            (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(2);
            await database.ExecuteAsync("UPDATE hangfire.jobqueue SET fetchedat = now()");
        }
    }

    [Fact]
    public async Task Of_more_jobs_than_places_each_comes_to_its_turn()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        HashSet<Guid> jobs = [];
        for (int i = 0; i < 6; i++)
        {
            jobs.Add(await database.InsertJobAsync("ape", shards: 10));
        }

        for (int i = 0; i < 3; i++)
        {
            await worker.Get<Feeder>().FeedAsync(Cancellation);
            await FinishQueuedAsync();
        }

        (await QueueAsync()).Select(fed => fed.Job).Should().OnlyHaveUniqueItems().And.BeEquivalentTo(jobs);
    }

    [Fact]
    public async Task Keys_share_alike_however_many_jobs_each_has()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 8);
        for (int i = 0; i < 5; i++)
        {
            await InsertJobOfKeyAsync("greedy");
        }

        var modest = await InsertJobOfKeyAsync("modest");
        await worker.Get<Feeder>().FeedAsync(Cancellation);

        var queue = await QueueAsync();
        queue.Count(fed => fed.Job == modest).Should().Be(2);
        queue.Should().HaveCount(4);
    }

    [Fact]
    public async Task A_key_whose_shards_are_at_work_waits_for_the_others()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        await InsertJobOfKeyAsync("greedy");
        await InsertJobOfKeyAsync("greedy");
        await worker.Get<Feeder>().FeedAsync(Cancellation);
        await RunQueuedAsync();
        var modest = await InsertJobOfKeyAsync("modest");

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await QueueAsync()).Skip(2).Should().Equal((modest, 0), (modest, 3));
    }

    [Fact]
    public async Task A_job_that_is_scheduled_waits_for_its_time()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        var job = await database.InsertJobAsync("ape");
        await database.ExecuteAsync("UPDATE job SET start_at = now() + interval '1 minute' WHERE id = $1", job);

        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(0);

        await database.ExecuteAsync("UPDATE job SET start_at = now() WHERE id = $1", job);
        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(1);
    }

    [Fact]
    public async Task A_paused_models_shards_wait_and_those_that_were_queued_go_back()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        await StandAsync("zebra", places: 4);
        var ape = await database.InsertJobAsync("ape", shards: 5);
        var zebra = await database.InsertJobAsync("zebra");
        await worker.Get<Feeder>().FeedAsync(Cancellation);

        await worker.Get<ModelDirectory>().PauseAsync("ape", Cancellation);
        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await database.CountShardsAsync(ape, "waiting")).Should().Be(5);
        (await database.CountShardsAsync(zebra, "queued")).Should().Be(1);
        (await worker.Get<ModelDirectory>().ListModelsAsync(Cancellation))
            .Where(model => model.IsPaused)
            .Select(model => model.Name)
            .Should()
            .Equal("ape");

        await worker.Get<ModelDirectory>().ResumeAsync("ape", Cancellation);
        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(2);
    }

    [Theory]
    [InlineData("pause of the job")]
    [InlineData("pause of the model")]
    [InlineData("another priority")]
    public async Task What_takes_queued_shards_back_misses_none_that_a_feeder_is_queueing(string change)
    {
        await using var worker = TestWorker.Create(database, _models);
        var job = await database.InsertJobAsync("ape", shards: 3);
        await using var feeder = await database.DataSource.OpenConnectionAsync(Cancellation);
        await using var feeding = await feeder.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(FeedQueries.Lock);
        await ExecuteAsync("UPDATE shard SET state = 'queued', hangfire_job_id = '7'");

        var changing = change switch
        {
            "pause of the job" => worker.Get<JobDirectory>().PauseAsync(job, Cancellation),
            "pause of the model" => worker.Get<ModelDirectory>().PauseAsync("ape", Cancellation),
            _ => worker.Get<JobDirectory>().SetPriorityAsync(job, 1, Cancellation),
        };
        await Eventually.HoldsAsync(
            async () => changing.IsCompleted || await database.ScalarAsync<bool>(Awaited),
            TimeSpan.FromSeconds(30),
            "the change waits for the feeder"
        );
        await feeding.CommitAsync(Cancellation);
        await changing;

        (await database.CountShardsAsync(job, "waiting")).Should().Be(3);

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, feeder, feeding);
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }

    [Fact]
    public async Task A_lower_priority_number_comes_first()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        await database.InsertJobAsync("ape", shards: 5, priority: 5);
        var urgent = await database.InsertJobAsync("ape", shards: 5, priority: 1);

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await QueueAsync()).Should().Equal((urgent, 0), (urgent, 3));
    }

    [Fact]
    public async Task A_busy_model_leaves_another_its_places()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        await StandAsync("zebra", places: 4);
        await database.InsertJobAsync("ape", shards: 50);
        await worker.Get<Feeder>().FeedAsync(Cancellation);
        var zebra = await database.InsertJobAsync("zebra");

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await database.CountShardsAsync(zebra, "queued")).Should().Be(1);
    }

    [Fact]
    public async Task A_shard_in_its_back_off_waits()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        var job = await database.InsertJobAsync("ape", shards: 2);
        await database.ExecuteAsync(
            "UPDATE shard SET not_before = now() + interval '1 minute' WHERE job_id = $1 AND first_line = 0",
            job
        );

        await worker.Get<Feeder>().FeedAsync(Cancellation);

        (await QueueAsync()).Should().Equal((job, 3));
    }

    [Fact]
    public async Task Shards_of_a_job_whose_lines_still_arrive_wait()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        var job = await database.InsertJobAsync("ape");
        await database.ExecuteAsync("UPDATE job SET state = 'receiving' WHERE id = $1", job);

        (await worker.Get<Feeder>().FeedAsync(Cancellation)).Should().Be(0);
    }

    [Fact]
    public async Task Feeders_of_several_processes_queue_no_shard_twice()
    {
        await using var one = TestWorker.Create(database, _models);
        await using var other = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 100);
        await database.InsertJobAsync("ape", shards: 8);
        await database.InsertJobAsync("ape", shards: 8);

        var fed = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(i => Task.Run(() => (i % 2 == 0 ? one : other).Get<Feeder>().FeedAsync(Cancellation)))
        );

        fed.Sum().Should().Be(16);
        (await QueueAsync()).Should().OnlyHaveUniqueItems().And.HaveCount(16);
    }

    [Fact]
    public async Task A_shard_whose_Hangfire_job_was_deleted_waits_again_and_others_stay_queued()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        var job = await database.InsertJobAsync("ape", shards: 2);
        await worker.Get<Feeder>().FeedAsync(Cancellation);
        await database.ExecuteAsync("UPDATE shard SET queued_at = now() - interval '1 minute'");
        string deleted = await database.ScalarAsync<string>(
            "SELECT hangfire_job_id FROM shard WHERE job_id = $1 AND first_line = 3",
            job
        );
        await database.ExecuteAsync(
            "DELETE FROM hangfire.jobqueue WHERE jobid = $1",
            long.Parse(deleted, CultureInfo.InvariantCulture)
        );

        (await worker.Get<Feeder>().RecoverAsync(TimeSpan.FromSeconds(30), Cancellation)).Should().Be(1);

        (await database.ScalarAsync<string>("SELECT state FROM shard WHERE job_id = $1 AND first_line = 0", job))
            .Should()
            .Be("queued");
    }

    [Fact]
    public async Task A_shard_whose_worker_died_before_it_took_the_lease_waits_again()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        var job = await database.InsertJobAsync("ape", shards: 2);
        await worker.Get<Feeder>().FeedAsync(Cancellation);
        await database.ExecuteAsync("UPDATE shard SET queued_at = now() - interval '1 minute'");
        await database.ExecuteAsync(
            """
            UPDATE hangfire.jobqueue SET fetchedat = now() - CASE WHEN shard.first_line = 0 THEN interval '1 minute' ELSE '0' END
            FROM shard WHERE jobqueue.jobid = shard.hangfire_job_id::bigint
            """
        );

        (await worker.Get<Feeder>().RecoverAsync(TimeSpan.FromSeconds(30), Cancellation)).Should().Be(1);

        (await database.ScalarAsync<string>("SELECT state FROM shard WHERE job_id = $1 AND first_line = 0", job))
            .Should()
            .Be("waiting");
    }

    [Fact]
    public async Task A_shard_that_could_not_be_queued_stays_waiting()
    {
        await using var worker = TestWorker.Create(database, _models);
        await StandAsync("ape", places: 4);
        var job = await database.InsertJobAsync("ape", shards: 2);
        await database.ExecuteAsync("ALTER TABLE hangfire.jobqueue RENAME TO absent");

        var feed = () => worker.Get<Feeder>().FeedAsync(Cancellation);
        try
        {
            await feed.Should().ThrowAsync<Exception>();
        }
        finally
        {
            await database.ExecuteAsync("ALTER TABLE hangfire.absent RENAME TO jobqueue");
        }

        (await database.CountShardsAsync(job, "waiting")).Should().Be(2);
    }

    /// <summary>Makes a model ready on a slot of a worker that lives, however long the test takes.</summary>
    private async Task StandAsync(string model, int places)
    {
        // It lives on, however long the test takes.
        await database.ExecuteAsync(
            "INSERT INTO worker (id, process_id, host, version, heartbeat_at) VALUES ($1, 1, 'h', '1', now() + interval '1 hour')",
            model
        );
        await database.ExecuteAsync(
            "INSERT INTO slot (worker_id, name, device, threads, state, shards_at_once) VALUES ($1, 'cpu:0', 'cpu:0', 1, 'ready', $2)",
            model,
            places
        );
        await database.ExecuteAsync(
            "INSERT INTO slot_model (worker_id, slot, model, state) VALUES ($1, 'cpu:0', $1, 'ready')",
            model
        );
    }

    /// <summary>A job that runs and has a shard done.</summary>
    private async Task<Guid> InsertBegunJobAsync(int shards)
    {
        var job = await database.InsertJobAsync("ape", shards);
        await database.ExecuteAsync("UPDATE job SET state = 'running', shards_done = 1 WHERE id = $1", job);
        return job;
    }

    private async Task<Guid> InsertJobOfKeyAsync(string key)
    {
        await database.ExecuteAsync(
            """
            INSERT INTO api_key (id, name, prefix, scopes, hash) VALUES (gen_random_uuid(), $1, $1, '{write}', sha256($1::bytea))
            ON CONFLICT DO NOTHING
            """,
            key
        );
        var job = await database.InsertJobAsync("ape", shards: 5);
        await database.ExecuteAsync(
            "UPDATE job SET api_key_id = (SELECT id FROM api_key WHERE name = $2) WHERE id = $1",
            job,
            key
        );
        return job;
    }

    private Task<int> RunQueuedAsync() =>
        database.ExecuteAsync(
            """
            UPDATE shard
            SET state = 'running', lease = gen_random_uuid(), lease_until = now() + interval '1 hour',
                worker = model, slot = 'cpu:0'
            WHERE state = 'queued'
            """
        );

    private async Task FinishQueuedAsync()
    {
        await database.ExecuteAsync(
            "UPDATE job SET state = 'running' WHERE id IN (SELECT job_id FROM shard WHERE state = 'queued')"
        );
        await database.ExecuteAsync("UPDATE shard SET state = 'done' WHERE state = 'queued'");
    }

    /// <summary>What was put into Hangfire's queue, in order.</summary>
    private async Task<List<(Guid Job, long FirstLine)>> QueueAsync()
    {
        await using var command = database.DataSource.CreateCommand(
            """
            SELECT shard.job_id, shard.first_line
            FROM hangfire.jobqueue
            JOIN shard ON shard.hangfire_job_id::bigint = jobqueue.jobid
            ORDER BY jobqueue.id
            """
        );
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        List<(Guid, long)> queue = [];
        while (await reader.ReadAsync(Cancellation))
        {
            queue.Add((reader.GetGuid(0), reader.GetInt64(1)));
        }

        return queue;
    }
}
