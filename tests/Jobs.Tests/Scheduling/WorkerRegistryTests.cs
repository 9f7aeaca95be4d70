using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class WorkerRegistryTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly Dictionary<string, TestModel> _models = new(StringComparer.Ordinal) { ["m"] = new() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_worker_says_is_what_the_directory_lists()
    {
        await using var worker = TestWorker.Create(database, _models, ("Slots:0:Threads", "2"));
        var slot = worker.Get<LocalSlots>().All[0];
        await worker.Get<SlotLoader>().LoadAsync(slot, Cancellation);
        slot.CountLines(12);

        await worker.Get<WorkerRegistry>().WriteAsync(Cancellation);

        string id = worker.Get<WorkerIdentity>().Id;
        var status = (await worker.Get<ModelDirectory>().ListSlotsAsync(Cancellation)).Single(one => one.Worker == id);
        status.Name.Should().Be("cpu:0");
        status.Threads.Should().Be(2);
        status.State.Should().Be("ready");
        status.Models.Should().Equal("m");
        status.LinesDone.Should().Be(12);
        var model = (await worker.Get<ModelDirectory>().ListModelsAsync(Cancellation)).Single();
        model.State.Should().Be("ready");
        var on = model.Slots.Single(one => one.Worker == id);
        on.ServedBy.Should().Be("m");
        on.LinesPerSecond.Should().BePositive();
        on.Report!.Tries.Should().ContainSingle();
        (await database.ScalarAsync<bool>("SELECT parameters @> '{num_beams,tgt_lang}' FROM worker WHERE id = $1", id))
            .Should()
            .BeTrue("workers of other versions ask what it can read");
    }

    [Fact]
    public async Task A_worker_that_was_taken_for_dead_comes_back_with_its_next_sign_of_life()
    {
        await using var worker = TestWorker.Create(database, _models);
        var registry = worker.Get<WorkerRegistry>();
        await registry.WriteAsync(Cancellation);
        await database.ExecuteAsync("UPDATE worker SET heartbeat_at = now() - interval '1 hour'");
        await registry.RemoveDeadAsync(Cancellation);
        (await CountAsync(worker)).Should().Be(0);

        await registry.WriteAsync(Cancellation);

        (await CountAsync(worker)).Should().Be(1);
    }

    [Fact]
    public async Task A_worker_that_has_ended_is_not_brought_back_by_a_sign_of_life_that_comes_late()
    {
        await using var worker = TestWorker.Create(database, _models);
        var registry = worker.Get<WorkerRegistry>();
        await registry.WriteAsync(Cancellation);
        await registry.RemoveAsync(Cancellation);

        await registry.WriteAsync(Cancellation);

        (await CountAsync(worker)).Should().Be(0);
    }

    [Fact]
    public async Task A_worker_that_died_just_now_is_kept_for_the_operator_but_not_listed()
    {
        await using var worker = TestWorker.Create(database, _models);
        await worker.Get<WorkerRegistry>().WriteAsync(Cancellation);
        string id = worker.Get<WorkerIdentity>().Id;
        await database.ExecuteAsync("UPDATE worker SET heartbeat_at = now() - interval '1 minute' WHERE id = $1", id);

        await worker.Get<WorkerRegistry>().RemoveDeadAsync(Cancellation);

        (await CountAsync(worker)).Should().Be(1);
        (await worker.Get<ModelDirectory>().ListSlotsAsync(Cancellation))
            .Should()
            .NotContain(slot => slot.Worker == id);
    }

    private Task<long> CountAsync(TestWorker worker) =>
        database.ScalarAsync<long>("SELECT count(*) FROM worker WHERE id = $1", worker.Get<WorkerIdentity>().Id);
}
