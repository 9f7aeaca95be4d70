using Seq2Seq.Bench.Reporting;
using Seq2Seq.Testing;

namespace Seq2Seq.Bench.Tests;

/// <summary>Every part of <c>./benchmark</c> runs, and gives the figures that it is there for. Nothing is said about durations.</summary>
public sealed class BenchmarkPartsTests
{
    [Theory]
    [InlineData("t5-small")]
    [InlineData("one-line")]
    [InlineData("memory")]
    [InlineData("load-warm")]
    public async Task Engines_run_in_turns_and_are_held_against_each_other(string id)
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync(id);

        section.Measurements.Should().HaveCountGreaterThan(1);
        section.Measurements.Should().OnlyContain(one => one.Values.Count == 1 && one.Values[0] > 0);
        section.Comparisons.Should().NotBeEmpty();
        ComparedRuns
            .Of(new BenchmarkReport { Machine = "", Sections = [section] })
            .Should()
            .HaveCount(section.Comparisons.Count)
            .And.OnlyContain(compared => compared.Ratio > 0);
    }

    [Fact]
    public async Task The_best_settings_are_searched_once_and_texts_are_compared()
    {
        using TinyRun run = new();
        await run.RunAsync("words-greedy");
        int first = run.PeerCalls.Length;

        BenchmarkSection section = await run.RunAsync("words-greedy");

        // A round of three peers; the first time the conversion and the search come on top.
        (run.PeerCalls.Length - first)
            .Should()
            .Be(3);
        first.Should().BeGreaterThan(3);
        section.Notes.Should().ContainSingle("only our own int8 wrote texts").Which.Should().Contain("of 24");
    }

    [Fact]
    public async Task On_a_model_that_copies_drafting_leaves_every_text_as_it_is()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("drafting-copies");

        section.Notes.Should().ContainSingle().Which.Should().EndWith("equal to ours float32's: 3 of 3.");
        section.Comparisons.Should().ContainSingle();
    }

    [Theory]
    [InlineData("equal-lines", 24)]
    [InlineData("padding-removal", 8)]
    [InlineData("screening", 8)]
    [InlineData("screening-one-line", 2)]
    public async Task A_saving_is_held_against_doing_without_it_and_leaves_every_text_as_it_is(string id, int lines)
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync(id);

        section.Notes.Should().ContainSingle().Which.Should().EndWith($"{lines} of {lines}.");
        section.Comparisons.Should().ContainSingle();
    }

    [Fact]
    public async Task Without_peers_their_columns_are_empty()
    {
        using TinyRun run = new(peers: false);

        BenchmarkSection section = await run.RunAsync("words-greedy");

        section.Measurements.Select(one => one.Name).Should().Equal("ours float32", "ours int8");
        MarkdownPage
            .Of(new BenchmarkReport { Machine = "m", Sections = [section] }, plots: [])
            .Should()
            .Contain("No peers were given")
            .And.Contain("| words-greedy | ours float32 | CTranslate2 float32 |  | ≥ 1 × | ≥ 2 × |");
    }

    [Fact]
    public async Task Loads_are_held_against_reading_the_bytes()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("load");

        section.Tables[0].Rows.Should().HaveCount(3).And.OnlyContain(row => TinyRun.Number(row[5]) > 0);
    }

    [Fact]
    public async Task The_service_is_held_against_the_bare_engine()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("http");

        section.Measurements.Select(one => one.Name).Should().Equal("over HTTP", "bare engine");
        section.Measurements.Should().OnlyContain(one => one.Values.All(value => value > 0));
    }

    [Fact]
    public async Task Jobs_of_every_size_come_in_by_every_way_and_many_small_ones_after_them()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("scale");

        section
            .Tables[0]
            .Rows.Select(row => (row[0], row[1]))
            .Should()
            .Equal(
                ("HTTP, text", "10"),
                ("HTTP, form with JSON Lines", "10"),
                ("`run --server`", "10"),
                ("HTTP, text", "2,000"),
                ("HTTP, form with JSON Lines", "2,000"),
                ("`run --server`", "2,000"),
                ("HTTP, text, long lines", "100"),
                ("`run --server`, long lines", "100"),
                ("`run`, its own service", "10"),
                ("`run`, its own service", "2,000"),
                ("`run`, its own service, long lines", "100")
            );
        section
            .Tables[0]
            .Rows.Should()
            .OnlyContain(row => TinyRun.Number(row[8]) > 0 && TinyRun.Number(row[10]) > 0, "memory was seen");
        TinyRun.Number(section.Tables[1].Rows[0][3]).Should().BePositive();
        section.Tables[2].Rows.Select(row => row[0]).Should().Contain(["shard", "hangfire.job"]);
    }

    [Fact]
    public async Task Small_jobs_of_both_keys_run_beside_a_large_one()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("neighbours");

        section.Tables[0].Rows.Select(row => row[1]).Should().Equal("another", "the same", "another", "the same");
        section.Tables[0].Rows.Should().OnlyContain(row => TinyRun.Number(row[6]) > 0);
    }

    [Fact]
    public async Task A_machine_joins_a_running_job_and_another_is_lost()
    {
        Assert.SkipWhen(SeparateMachine.Hindrance is not null, SeparateMachine.Hindrance ?? "");
        Assert.SkipWhen(Environment.ProcessorCount < 2, "Two machines need two cores.");
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("machines");

        section.Tables[0].Rows.Select(row => row[1]).Should().Equal("1", "2", "1", "1");
        // While the leases of the lost one run out, the other may be in the middle of its shards.
        new[] { 0, 1, 3 }
            .Select(row => section.Tables[0].Rows[row])
            .Should()
            .OnlyContain(row => TinyRun.Number(row[3]) > 0);
        IReadOnlyList<string> lost = section.Tables[1].Rows[0];
        TinyRun.Number(lost[6]).Should().BePositive().And.BeLessThanOrEqualTo(TinyRun.Number(lost[5]));
    }

    [Fact]
    public async Task Tables_are_watched_while_jobs_come_and_go()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("tables");

        section.Tables[0].Rows.Should().HaveCount(10);
        section.Tables[0].Header.Should().Contain(["job", "shard_result", "hangfire.state"]);
    }

    [Fact]
    public async Task Every_compute_type_has_its_quality()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("quality");

        section.Tables[0].Rows.Select(row => row[0]).Should().Equal("float32", "float16", "int8");
        TinyRun.Number(section.Tables[0].Rows[0][2]).Should().BeInRange(0, 50);
        section.Tables[0].Rows[0][3].Should().Be("0 (0.00 %)");
    }

    [Fact]
    public async Task The_time_of_a_step_is_shared_out_completely()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("profile");

        section.Tables[0].Rows.Should().HaveCount(4);
        section
            .Tables[0]
            .Rows.Should()
            .OnlyContain(row => Math.Abs(row.Skip(1).Take(6).Sum(TinyRun.Number) - 100) < 1, "shares of a whole");
        section.Tables[0].Rows.Should().Contain(row => TinyRun.Number(row[1]) > 0, "some of it are matrix products");
    }

    [Fact]
    public async Task The_peak_has_figures()
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync("peak");

        section.Tables[0].Rows.Should().OnlyContain(row => TinyRun.Number(row[1]) > 0);
    }

    [Theory]
    [InlineData("store", 3)]
    [InlineData("scheduling", 10)]
    public async Task What_the_database_costs_is_written_line_by_line(string id, int lines)
    {
        using TinyRun run = new();

        BenchmarkSection section = await run.RunAsync(id);

        section.Notes.Should().HaveCount(lines).And.NotContain(line => line.Contains("NaN", StringComparison.Ordinal));
    }
}
