using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class WorkerServiceTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task A_job_of_many_shards_runs_to_its_end_and_every_line_is_answered_once()
    {
        var model = new TestModel();
        await using var worker = await TestWorker.StartAsync(database, model, ("Slots:1:Device", "cpu:1"));

        var job = await database.InsertJobAsync("words", shards: 20, linesPerShard: 5);

        await database.ShouldHaveEveryAnswerAsync(job, lines: 100);
        model.Lines.Should().Be(100);
    }
}
