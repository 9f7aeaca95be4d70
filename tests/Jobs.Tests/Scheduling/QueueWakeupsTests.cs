using Npgsql;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class QueueWakeupsTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncDisposable
{
    private readonly TestWorker _worker = TestWorker.Create(
        database,
        new Dictionary<string, TestModel>(StringComparer.Ordinal)
    );

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private QueueWakeups Wakeups => _worker.Get<QueueWakeups>();

    public ValueTask DisposeAsync() => _worker.DisposeAsync();

    [Fact]
    public void One_job_wakes_one_worker_and_the_next_another()
    {
        using var one = Wakeups.Listen(["a"]);
        using var other = Wakeups.Listen(["a"]);

        Wakeups.Wake("a");
        (one.IsAwake, other.IsAwake).Should().Be((true, false));
        Wakeups.Wake("a");
        (one.IsAwake, other.IsAwake).Should().Be((true, true));
    }

    [Fact]
    public async Task Jobs_that_are_queued_together_wake_a_worker_each()
    {
        List<QueueWakeups.Waiter> workers = [.. Enumerable.Range(0, 3).Select(_ => Wakeups.Listen(["5-m"]))];
        var listener = _worker.Get<DatabaseListener>();
        await listener.StartAsync(Cancellation);
        // Until it listens, nobody is woken; then all are, once.
        await Eventually.HoldsAsync(
            () => Task.FromResult(workers.TrueForAll(one => one.IsAwake)),
            _patience,
            "the listener has begun"
        );
        workers.ForEach(one => one.Wait(TimeSpan.Zero, Cancellation));

        await using (var connection = await database.DataSource.OpenConnectionAsync(Cancellation))
        await using (var batch = new NpgsqlBatch(connection))
        {
            batch.BatchCommands.Add(
                ShardEnqueuer.Command([.. workers.Select((_, i) => new FedShard(i + 1, Guid.NewGuid(), "5-m"))])
            );
            await batch.ExecuteNonQueryAsync(Cancellation);
        }

        await Eventually.HoldsAsync(
            () => Task.FromResult(workers.TrueForAll(one => one.IsAwake)),
            _patience,
            "each of three jobs has woken a worker"
        );
        await listener.StopAsync(Cancellation);
        workers.ForEach(one => one.Dispose());
    }

    [Fact]
    public void Only_workers_that_listen_to_the_queue_are_woken()
    {
        using var other = Wakeups.Listen(["b"]);
        using var listener = Wakeups.Listen(["a", "b"]);

        Wakeups.Wake("a");

        (other.IsAwake, listener.IsAwake).Should().Be((false, true));
    }

    [Fact]
    public void A_worker_that_leaves_with_an_earlier_job_passes_its_wake_up_on()
    {
        var leaving = Wakeups.Listen(["a", "b"]);
        using var idle = Wakeups.Listen(["b"]);
        Wakeups.Wake("b");

        leaving.Dispose();

        idle.IsAwake.Should().BeTrue();
    }

    [Fact]
    public void After_a_lost_connection_all_look()
    {
        using var one = Wakeups.Listen(["a"]);
        using var other = Wakeups.Listen(["b"]);

        Wakeups.WakeAll();

        (one.IsAwake, other.IsAwake).Should().Be((true, true));
    }
}
