using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

public sealed class LeaseHeartbeatTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal) { ["m"] = new() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Work_on_a_lost_lease_stops_and_other_work_goes_on()
    {
        await using var worker = TestWorker.Create(database, _models);
        using var kept = await BeginAsync(worker, await database.InsertJobAsync("m"));
        using var lost = await BeginAsync(worker, await database.InsertJobAsync("m"));
        await database.ExecuteAsync("UPDATE shard SET lease = gen_random_uuid() WHERE id = $1", lost.Shard.ShardId);

        await Heartbeat(worker).BeatAsync(Cancellation);

        lost.Token.IsCancellationRequested.Should().BeTrue();
        lost.Reason.Should().Be(StopReason.LeaseLost);
        kept.Token.IsCancellationRequested.Should().BeFalse();
    }

    [Fact]
    public async Task Every_running_shards_lease_is_renewed()
    {
        await using var worker = TestWorker.Create(database, _models, ("Jobs:Lease", "00:05:00"));
        var job = await database.InsertJobAsync("m");
        using var running = await BeginAsync(worker, job);
        await database.ExecuteAsync("UPDATE shard SET lease_until = now() WHERE job_id = $1", job);

        await Heartbeat(worker).BeatAsync(Cancellation);

        (
            await database.ScalarAsync<bool>(
                "SELECT lease_until > now() + interval '4 minutes' FROM shard WHERE job_id = $1",
                job
            )
        )
            .Should()
            .BeTrue();
    }

    [Fact]
    public async Task Work_on_a_job_that_was_ended_stops_at_once()
    {
        await using var worker = TestWorker.Create(database, _models, ("Jobs:Lease", "00:05:00"));
        await worker.Get<DatabaseListener>().StartAsync(Cancellation);
        await Heartbeat(worker).StartAsync(Cancellation);
        using var running = await BeginAsync(worker, await database.InsertJobAsync("m"));

        await Eventually.HoldsAsync(
            async () =>
            {
                await database.ExecuteAsync("SELECT pg_notify('seq2seq_ended', $1)", running.Shard.JobId.ToString());
                return running.Token.IsCancellationRequested;
            },
            TimeSpan.FromSeconds(10),
            "the work was told to stop"
        );

        running.Reason.Should().Be(StopReason.LeaseLost);
    }

    [Fact]
    [SuppressMessage(
        "Usage",
        "VSTHRD002:Avoid problematic synchronous waits",
        Justification = "Between two lines of the shard's runner, which only a log can be listened to for."
    )]
    public async Task A_lease_that_its_own_work_has_just_ended_is_not_missed()
    {
        await using var worker = TestWorker.Create(database, _models);
        var slot = worker.Get<LocalSlots>().All[0];
        await worker.Get<SlotLoader>().LoadAsync(slot, Cancellation);
        var job = await database.InsertJobAsync("m");
        List<string> warnings = [];
        var heartbeat = ActivatorUtilities.CreateInstance<LeaseHeartbeat>(
            worker.Services,
            new Listener<LeaseHeartbeat>(warnings.Add)
        );
        List<StopReason> reasons = [];
        // The results are written, and the shard is still among those that run.
        var done = new Listener<ShardRunner>(_ =>
        {
            var running = worker.Get<RunningShards>().All.Single();
            heartbeat.BeatAsync(Cancellation).GetAwaiter().GetResult();
            reasons.Add(running.Reason);
        });

        await ActivatorUtilities
            .CreateInstance<ShardRunner>(worker.Services, slot, done)
            .RunAsync(job, await database.ShardIdAsync(job), Cancellation);

        (await database.JobStateAsync(job)).Should().Be("completed");
        reasons.Should().Equal(StopReason.None);
        warnings.Should().BeEmpty();
    }

    private static LeaseHeartbeat Heartbeat(TestWorker worker) =>
        worker.Services.GetServices<IHostedService>().OfType<LeaseHeartbeat>().Single();

    private async Task<RunningShard> BeginAsync(TestWorker worker, Guid job)
    {
        var shard = await worker
            .Get<ShardLeases>()
            .TakeAsync(job, await database.ShardIdAsync(job), "cpu:0", Cancellation);
        return worker.Get<RunningShards>().Begin(shard!, Cancellation);
    }

    /// <summary>Hears what a class logs while it does so.</summary>
    private sealed class Listener<T>(Action<string> heard) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => heard(formatter(state, exception));
    }
}
