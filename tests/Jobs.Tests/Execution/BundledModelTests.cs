using Microsoft.Extensions.DependencyInjection;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Submission;
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
    public async Task A_job_that_samples_draws_by_line_whatever_shards_the_lines_stand_in()
    {
        await using var worker = await TestWorker.StartBundledAsync(database);
        const string Parameters = """{"do_sample": true, "seed": 3, "temperature": 20.0}""";
        var first = await RunAsync(shards: 6, linesPerShard: 2);

        var second = await RunAsync(shards: 2, linesPerShard: 6);

        second.Should().Equal(first);
        first.Distinct(StringComparer.Ordinal).Should().HaveCountGreaterThan(6, "equal lines draw other outputs");

        async Task<IEnumerable<string?>> RunAsync(int shards, int linesPerShard)
        {
            var job = await database.InsertJobAsync(
                TestWorker.Model,
                shards,
                linesPerShard,
                text: _ => Text(4),
                parameters: Parameters
            );
            await database.WaitForJobAsync(job);
            return (await database.ReadResultsAsync(job)).Select(result => result.Result.Outputs[0].Text);
        }
    }

    [Fact]
    public async Task A_line_with_a_target_is_scored_beside_lines_that_are_generated()
    {
        await using var worker = await TestWorker.StartBundledAsync(database);
        var (request, lines) = (
            new JobRequest { Model = TestWorker.Model },
            new SourceLine[]
            {
                new() { Text = Text(4) },
                new() { Text = Text(4), Target = "four dollars" },
                new() { Text = Text(4), Target = "five dollars" },
            }
        );
        var submitted = await worker
            .Services.GetRequiredService<JobSubmitter>()
            .SubmitAsync(request, lines.ToAsyncEnumerable(), Cancellation);

        await database.WaitForJobAsync(submitted.Job.Id);

        var outputs = (await database.ReadResultsAsync(submitted.Job.Id))
            .Select(line => line.Result.Outputs[0])
            .ToList();
        outputs.Select(output => output.Text).Should().Equal("four dollars", "four dollars", "five dollars");
        outputs[1].Score.Should().BeApproximately(outputs[0].Score, 1e-4);
        outputs[2].Score.Should().BeLessThan(outputs[0].Score);
        outputs[1].TokenLogprobs.Should().HaveSameCount(outputs[1].TokenIds);
    }

    [Fact]
    public async Task Parameters_that_the_model_refuses_fail_the_job_by_name()
    {
        await using var worker = await TestWorker.StartBundledAsync(database);
        var job = await database.InsertJobAsync(TestWorker.Model, parameters: """{"num_beams": 0}""");

        await database.WaitForJobAsync(job, "failed");

        (await database.ScalarAsync<string>("SELECT error_code || ': ' || error_message FROM job WHERE id = $1", job))
            .Should()
            .StartWith("parameter_invalid: ")
            .And.Contain("num_beams");
    }

    [Fact]
    public async Task A_language_is_refused_at_the_submit_while_a_worker_says_which_there_are()
    {
        await using var worker = await TestWorker.StartBundledAsync(database);
        var request = new JobRequest
        {
            Model = TestWorker.Model,
            Parameters = new GenerationParameters { TargetLanguage = "fra" },
        };

        var submit = () => worker.Get<JobSubmitter>().SubmitAsync(request, JobStore.Lines("a"), Cancellation);

        var refused = (await submit.Should().ThrowAsync<SubmissionException>()).Which;
        refused.Field.Should().Be("parameters.tgt_lang");
        refused.Found.Should().Be("fra");
    }

    [Fact]
    public async Task A_language_that_the_model_does_not_know_fails_the_job_by_name()
    {
        await using var worker = await TestWorker.StartBundledAsync(database);
        var job = await database.InsertJobAsync(TestWorker.Model, parameters: """{"tgt_lang": "fra"}""");

        await database.WaitForJobAsync(job, "failed");

        (await database.ScalarAsync<string>("SELECT error_code || ': ' || error_message FROM job WHERE id = $1", job))
            .Should()
            .StartWith("parameter_invalid: ")
            .And.Contain("'tgt_lang' is 'fra'");
    }

    [Fact]
    public async Task Preloading_measures_the_model_on_its_slot()
    {
        await using var worker = await TestWorker.StartBundledAsync(database);

        worker.Get<LocalSlots>().All[0].Models[TestWorker.Model].LinesPerSecond.Should().BePositive();
    }

    private static string Text(long line) => $"normalize: ${line}";
}
