using Hangfire;
using Hangfire.States;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class ShardJobQueueTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal)
    {
        ["ape"] = new(),
        ["zebra"] = new(),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await database.ExecuteAsync("TRUNCATE hangfire.jobqueue");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Jobs_are_taken_by_priority_and_then_in_order_of_arrival_whatever_their_model()
    {
        await using var worker = TestWorker.Create(database, _models);
        string[] queues = ["5-zebra", "5-ape", "2-zebra", "5-ape", "5-zebra"];
        string[] ids = [.. queues.Select(queue => Enqueue(worker, queue))];

        string[] taken = [.. ids.Select(_ => Take(worker, ShardQueue.Names(_models.Keys)))];

        taken.Should().Equal(ids[2], ids[0], ids[1], ids[3], ids[4]);
    }

    [Fact]
    public async Task Only_the_queues_asked_for_are_served()
    {
        await using var worker = TestWorker.Create(database, _models);
        Enqueue(worker, "0-ape");
        string zebra = Enqueue(worker, "9-zebra");

        Take(worker, ShardQueue.Names(["zebra"])).Should().Be(zebra);
    }

    [Fact]
    public async Task An_idle_worker_is_woken_by_a_job_of_another_process()
    {
        await using var worker = TestWorker.Create(database, _models);
        await using var other = TestWorker.Create(database, _models);
        var listener = worker.Get<DatabaseListener>();
        await listener.StartAsync(Cancellation);
        var taking = Task.Run(() => Take(worker, ["5-ape"]), Cancellation);
        await Task.Delay(300, Cancellation);

        string id = Enqueue(other, "5-ape");

        // Far less than the interval at which a worker looks unasked.
        (await taking.WaitAsync(TimeSpan.FromSeconds(2), Cancellation))
            .Should()
            .Be(id);
        await listener.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Waiting_ends_when_the_server_stops()
    {
        await using var worker = TestWorker.Create(database, _models);
        using var stop = new CancellationTokenSource();
        using var connection = worker.Get<JobStorage>().GetConnection();
        var taking = Task.Run(() => connection.FetchNextJob(["5-ape"], stop.Token), Cancellation);

        await stop.CancelAsync();

        await taking.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task The_dashboard_lists_each_queue_once()
    {
        await using var worker = TestWorker.Create(database, _models);
        Enqueue(worker, "5-ape");

        var queue = worker.Get<JobStorage>().GetMonitoringApi().Queues().Should().ContainSingle().Which;

        queue.Name.Should().Be("5-ape");
        queue.FirstJobs.Should().ContainSingle();
    }

    private static string Enqueue(TestWorker worker, string queue) =>
        new BackgroundJobClient(worker.Get<JobStorage>()).Create(
            ShardJob.For(Guid.NewGuid(), 1, queue),
            new EnqueuedState()
        );

    private static string Take(TestWorker worker, string[] queues)
    {
        using var connection = worker.Get<JobStorage>().GetConnection();
        using var job = connection.FetchNextJob(queues, Cancellation);
        job.RemoveFromQueue();
        return job.JobId;
    }
}
