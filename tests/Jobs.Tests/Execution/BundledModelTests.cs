using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Execution.Tests;

/// <summary>The whole worker with the engine in it.</summary>
public sealed class BundledModelTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_gives_what_the_model_gives_on_its_own()
    {
        await using var worker = await TestWorker.StartBundledAsync(database, ("Slots:1:Device", "cpu:1"));
        var job = await database.InsertJobAsync(TestWorker.Model, shards: 8, linesPerShard: 16, text: Text);

        await database.WaitForJobAsync(job);

        var results = await database.ReadResultsAsync(job);
        var alone = LoadedModel.Load(
            new ModelLoadOptions
            {
                Name = "alone",
                Folder = Path.Combine(AppContext.BaseDirectory, TestWorker.BundledModelFolder),
            },
            Cancellation
        );
        var expected = await alone.Generate(
            [.. Enumerable.Range(0, 128).Select(line => SequenceInput.FromText(Text(line)))],
            new GenerationParameters(),
            Cancellation
        );
        await alone.Dispose();
        results
            .Select(result => result.Result.Outputs[0].Text)
            .Should()
            .Equal(expected.Select(result => result.Outputs[0].Text));
        results[21].Result.Outputs[0].Text.Should().Be("twenty one dollars");
    }

    [Fact]
    public async Task Parameters_that_the_model_refuses_fail_the_job_by_name()
    {
        await using var worker = await TestWorker.StartBundledAsync(database);
        var job = await database.InsertJobAsync(TestWorker.Model);
        await database.ExecuteAsync("""UPDATE job SET parameters = '{"num_beams": 0}' WHERE id = $1""", job);

        await database.WaitForJobAsync(job, "failed");

        (await database.ScalarAsync<string>("SELECT error_code || ': ' || error_message FROM job WHERE id = $1", job))
            .Should()
            .StartWith("parameter_invalid: ")
            .And.Contain("num_beams");
    }

    [Fact]
    public async Task Preloading_measures_the_model_on_its_slot()
    {
        await using var worker = await TestWorker.StartBundledAsync(database);

        worker.Get<LocalSlots>().All[0].Models[TestWorker.Model].LinesPerSecond.Should().BePositive();
    }

    private static string Text(long line) => $"normalize: ${line}";
}
