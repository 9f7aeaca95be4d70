using System.Collections.Concurrent;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class DatabaseListenerTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_subscriber_hears_its_channel_and_no_other()
    {
        await using var worker = TestWorker.Create(database, new Dictionary<string, TestModel>(StringComparer.Ordinal));
        var listener = worker.Get<DatabaseListener>();
        ConcurrentQueue<string> heard = [];
        var listening = new TaskCompletionSource();
        using var subscription = listener.Subscribe(
            NotificationChannels.Ended,
            heard.Enqueue,
            () => listening.TrySetResult()
        );
        await listener.StartAsync(Cancellation);
        await listening.Task.WaitAsync(_patience, Cancellation);

        await database.ExecuteAsync("SELECT pg_notify('seq2seq_queue', 'other'), pg_notify('seq2seq_ended', 'mine')");

        await Eventually.HoldsAsync(() => Task.FromResult(!heard.IsEmpty), _patience, "the notification was heard");
        heard.Should().Equal("mine");
        await listener.StopAsync(Cancellation);
    }

    [Fact]
    public async Task When_its_connection_is_cut_it_connects_again_and_says_so()
    {
        await using var worker = TestWorker.Create(database, new Dictionary<string, TestModel>(StringComparer.Ordinal));
        var listener = worker.Get<DatabaseListener>();
        int connected = 0;
        using var subscription = listener.Subscribe(
            NotificationChannels.Ended,
            _ => { },
            () => Interlocked.Increment(ref connected)
        );
        await listener.StartAsync(Cancellation);
        await Eventually.HoldsAsync(() => Task.FromResult(connected == 1), _patience, "it listens");

        await database.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        );

        await Eventually.HoldsAsync(() => Task.FromResult(connected == 2), _patience, "it listens again");
        await listener.StopAsync(Cancellation);
    }
}
