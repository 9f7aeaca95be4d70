using System.Text.Encodings.Web;
using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Tests.Loading;

/// <summary>Every reference checkpoint loads, falls back or is refused as it must, and what loads gives the tokens of transformers.</summary>
public sealed class CheckpointCasesTests(CheckpointCases cases) : IClassFixture<CheckpointCases>
{
    private const int MaxRefusalBytes = 200 << 20;

    // Byte for byte the good folder bin-written-by-hand; ZipArchiveReaderTests makes the fault that it means.
    private const string WithoutItsFault = "refused-zip-offset-other";

    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static TheoryData<string> Names => [.. CheckpointCases.All.Keys.Where(name => name != WithoutItsFault)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Each_reference_checkpoint_is_met_as_it_must_be(string name)
    {
        CheckpointCase expected = CheckpointCases.All[name];
        string folder = Path.Join(cases.Root, expected.Folder);
        string[] before = Listing(cases.Root, expected.Folder);
        long allocated = GC.GetAllocatedBytesForCurrentThread();

        SequenceModel? model = null;
        LoadReport report;
        try
        {
            model = SequenceModel.Load(
                new ModelLoadOptions
                {
                    Name = name,
                    Folder = folder,
                    ComputeType = "float32",
                    Threads = 1,
                },
                TestContext.Current.CancellationToken
            );
            report = model.Report;
        }
        catch (ModelLoadException refusal)
        {
            report = refusal.Report;
            refusal.InnerException.Should().NotBeNull();
            (GC.GetAllocatedBytesForCurrentThread() - allocated).Should().BeLessThan(MaxRefusalBytes);
        }

        Listing(cases.Root, expected.Folder).Should().Equal(before, "a load writes nothing");
        File.Exists("PWNED").Should().BeFalse("nothing of a checkpoint is executed");
        if (model is null)
        {
            CheckRefusal(expected, report);
            return;
        }

        await using (model)
        {
            CheckLoad(expected, report);
            CheckpointCase inputs = Base(expected);
            int[][] outputs =
                (expected.Outcome == "refused" ? expected.OwnIdsIfLoaded : null)
                ?? expected.OutputIds
                ?? inputs.OutputIds!;
            IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
                [.. inputs.InputIds!.Select(ids => SequenceInput.FromTokenIds(ids))],
                new GenerationParameters
                {
                    NumBeams = 1,
                    DoSample = false,
                    MaxNewTokens = 16,
                    MinNewTokens = 0,
                },
                TestContext.Current.CancellationToken
            );
            results
                .Select(result => string.Join(' ', result.Outputs[0].TokenIds))
                .Should()
                .Equal(outputs.Select(ids => string.Join(' ', ids.Skip(1))));
        }
    }

    private static void CheckRefusal(CheckpointCase expected, LoadReport report)
    {
        report.Outcome.Should().Be(LoadOutcome.Refused);
        report.Code.Should().NotBeNullOrEmpty();
        // Milliseconds on an idle machine; this is for busy ones, and the first call of all.
        report.Seconds.Should().BeLessThan(10);
        if (expected.Outcome == "refused")
        {
            string said = Said(report);
            expected.HintContains.Should().AllSatisfy(hint => said.Should().ContainEquivalentOf(Escaped(hint)));
        }
        else
        {
            expected.Lenient.Should().Contain("may be refused", $"it was refused: {report.Message}");
        }
    }

    private static void CheckLoad(CheckpointCase expected, LoadReport report)
    {
        report.Outcome.Should().Be(LoadOutcome.Loaded);
        report.Tries[^1].Error.Should().BeNull();
        if (expected.Outcome == "refused")
        {
            expected.Lenient.Should().MatchRegex("may load|ids may be given", "it was loaded");
            return;
        }

        if (!expected.Lenient.Contains("either path", StringComparison.Ordinal))
        {
            report.Strategy.Should().Be(expected.Path == "direct" ? LoadStrategy.Direct : LoadStrategy.ConfigFirst);
        }

        string said = Said(report);
        string[] hints = [.. expected.ReportContains, .. expected.Path == "config-first" ? expected.HintContains : []];
        hints.Should().AllSatisfy(hint => said.Should().ContainEquivalentOf(Escaped(hint)));
    }

    private static CheckpointCase Base(CheckpointCase expected) =>
        expected.SameAs is { } other ? CheckpointCases.All[other]
        : expected.InputIds is not null ? expected
        : CheckpointCases.All["t5-micro"];

    private static string Said(LoadReport report) => JsonSerializer.Serialize(report, _json);

    private static string Escaped(string hint) => JsonSerializer.Serialize(hint, _json)[1..^1];

    private static string[] Listing(string root, string folder) =>
        Directory
            .EnumerateFileSystemEntries(Path.Join(root, folder.Split('/')[0]), "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .ToArray();
}
