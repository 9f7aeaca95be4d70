using Seq2Seq.Bench.Reporting;

namespace Seq2Seq.Bench.Tests;

public sealed class ReportTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("seq2seq-bench-tests-");

    [Fact]
    public void The_page_says_which_bars_are_reached_and_what_was_disturbed()
    {
        string page = MarkdownPage.Of(
            Report(Section("fast", [30, 31, 29], [10, 10, 10]), Section("slow", [9, 9, 20], [10, 10, 10])),
            []
        );

        page.Should()
            .Contain("| fast | ours | theirs | **3.00 ×** (2.90–3.10) | ≥ 1 × reached | ≥ 2 × reached | quiet |")
            .And.Contain(
                "| slow | ours | theirs | **0.90 ×** (0.90–2.00) | ≥ 1 × **missed** | ≥ 2 × **missed** | spread"
            );
    }

    [Fact]
    public void A_row_with_most_runs_disturbed_is_called_noisy()
    {
        BenchmarkSection section = Section("row", [10, 10, 10], [10, 10, 10]);
        Measurement disturbed = section.Measurements[0] with { NoisyRuns = 3 };
        BenchmarkSection noisy = section with
        {
            Measurements = [disturbed, section.Measurements[1] with { NoisyRuns = 1 }],
        };

        ComparedRuns.Of(Report(noisy)).Single().Noise.Should().Be("4 of 6 runs disturbed");
        ComparedRuns.Of(Report(section)).Single().Noise.Should().BeNull();
    }

    [Fact]
    public void Less_memory_than_the_bar_reaches_it()
    {
        Comparison memory = new()
        {
            Ours = "ours",
            Against = "theirs",
            Bar = 1,
            IsLessBetter = true,
        };

        memory.Reaches(0.8, memory.Bar).Should().BeTrue();
        memory.Reaches(1.2, memory.Bar).Should().BeFalse();
        memory.Reaches(1.2, memory.Aim).Should().BeNull();
    }

    [Fact]
    public void A_run_of_some_rows_leaves_the_others_as_they_were()
    {
        BenchmarkReport first = Report(Section("a", [1], [1]), Section("b", [1], [1]));
        first.Write(_folder.FullName, "machine");

        BenchmarkReport read = BenchmarkReport.Read(Path.Combine(_folder.FullName, "machine.json"))!;
        BenchmarkReport second = read.With(Section("a", [7], [1])).With(Section("c", [1], [1]));

        read.Should().BeEquivalentTo(first);
        second.Sections.Select(section => section.Id).Should().Equal("a", "b", "c");
        second.Sections[0].Measurements[0].Values.Should().Equal(7);
    }

    [Fact]
    public void Plots_stand_beside_the_page()
    {
        BenchmarkSection profile = new()
        {
            Id = "profile",
            Title = "Profile",
            Tables =
            [
                new ResultTable(
                    Profile.ProfileBenchmark.Header,
                    [
                        ["words", "60.0 %", "10.0 %", "10.0 %", "5.0 %", "5.0 %", "10.0 %", "100"],
                    ]
                ),
            ],
        };

        Report(Section("a", [3], [2]), profile).Write(_folder.FullName, "machine");

        foreach (string plot in new[] { "machine-ratios.png", "machine-profile.png" })
        {
            new FileInfo(Path.Combine(_folder.FullName, plot)).Length.Should().BePositive();
            File.ReadAllText(Path.Combine(_folder.FullName, "machine.md")).Should().Contain($"({plot})");
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static BenchmarkReport Report(params BenchmarkSection[] sections) =>
        new() { Machine = "A machine", Sections = sections };

    private static BenchmarkSection Section(string id, double[] ours, double[] theirs) =>
        new()
        {
            Id = id,
            Title = id,
            Measurements =
            [
                new Measurement
                {
                    Name = "ours",
                    Unit = "lines/s",
                    Values = ours,
                },
                new Measurement
                {
                    Name = "theirs",
                    Unit = "lines/s",
                    Values = theirs,
                },
            ],
            Comparisons =
            [
                new Comparison
                {
                    Ours = "ours",
                    Against = "theirs",
                    Bar = 1,
                    Aim = 2,
                },
            ],
        };
}
