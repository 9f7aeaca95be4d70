using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Calibration;

/// <summary>The compute type <c>auto</c>, on the bundled model and on one without a tokenizer.</summary>
public sealed class ComputeTypeCalibrationTests : IDisposable
{
    private static readonly string Bundled = Path.Join(AppContext.BaseDirectory, "Data", "english-tts");

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task The_type_that_auto_came_to_gives_float32s_tokens_on_the_sample_and_the_report_says_why()
    {
        string[] lines = [.. Words().Take(40)];
        await File.WriteAllLinesAsync(_file, lines, TestContext.Current.CancellationToken);
        await using SequenceModel chosen = Load(Bundled, "auto", _file);
        await using SequenceModel reference = Load(Bundled, "float32");

        chosen.Report.ComputeType.Should().BeOneOf("float32", "float16", "int8");
        chosen
            .Report.Notes.Should()
            .ContainSingle(note => note.StartsWith("compute type auto: of 40 lines, float32 "))
            .Which.Should()
            .Contain("float16")
            .And.Contain("int8")
            .And.EndWith($": {chosen.Report.ComputeType}.");
        (await TokensAsync(chosen, lines)).Should().BeEquivalentTo(await TokensAsync(reference, lines));
    }

    [Fact]
    public async Task A_type_that_gives_other_tokens_on_the_sample_is_never_taken()
    {
        string[] words = [.. Words()];
        await using SequenceModel reference = Load(Bundled, "float32");
        await using SequenceModel int8 = Load(Bundled, "int8");
        int[][] expected = await TokensAsync(reference, words);
        int[][] found = await TokensAsync(int8, words);
        string[] differing = [.. words.Where((_, i) => !found[i].SequenceEqual(expected[i])).Take(3)];
        differing.Should().NotBeEmpty("8 bits change some of so many words");
        await File.WriteAllLinesAsync(_file, differing, TestContext.Current.CancellationToken);

        await using SequenceModel chosen = Load(Bundled, "auto", _file);

        chosen.Report.ComputeType.Should().NotBe("int8");
        chosen.Report.Notes.Should().ContainSingle(note => note.Contains("int8 gives other tokens in "));
    }

    [Fact]
    public async Task What_was_found_out_holds_for_the_next_that_loads_the_same()
    {
        await File.WriteAllTextAsync(_file, "phonemize: cat\n", TestContext.Current.CancellationToken);
        await using SequenceModel first = Load(Bundled, "auto", _file);
        await using SequenceModel second = Load(Bundled, "auto", _file);

        second.Report.ComputeType.Should().Be(first.Report.ComputeType);
        second.Report.Notes.Single(IsOfAuto).Should().Be(first.Report.Notes.Single(IsOfAuto));
    }

    [Fact]
    public async Task A_model_that_can_decode_no_line_of_the_sample_is_float32()
    {
        await using SequenceModel model = Load(GoldenFamily.Open("t5").Folder, "auto");

        model.Report.ComputeType.Should().Be("float32");
        model.Report.Notes.Should().ContainSingle(note => note.Contains("no line of the sample can be decoded"));
    }

    [Theory]
    [InlineData("\n  \n", "has no line with text")]
    [InlineData(null, "can't be read")]
    public async Task A_sample_without_lines_is_refused_by_its_name(string? content, string reason)
    {
        string file = content is null ? _file + ".absent" : _file;
        await File.WriteAllTextAsync(_file, content ?? "", TestContext.Current.CancellationToken);

        ModelLoadException refused = FluentActions
            .Invoking(() => Load(Bundled, "auto", file))
            .Should()
            .Throw<ModelLoadException>()
            .Which;

        refused.Code.Should().Be(LoadCodes.CalibrationInvalid);
        refused.Message.Should().Contain(file).And.Contain(reason);
    }

    private static bool IsOfAuto(string note) => note.StartsWith("compute type auto", StringComparison.Ordinal);

    private static IEnumerable<string> Words() =>
        File.ReadLines(Path.Join(Bundled, "test.tsv")).Select(line => "phonemize: " + line.Split('\t')[0]);

    private static async Task<int[][]> TokensAsync(SequenceModel model, string[] lines)
    {
        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [.. lines.Select(SequenceInput.FromText)],
            new GenerationParameters { NumBeams = 1, MaxNewTokens = 32 },
            TestContext.Current.CancellationToken
        );
        return [.. results.Select(result => result.Outputs[0].TokenIds.ToArray())];
    }

    private static SequenceModel Load(string folder, string computeType, string? calibrationFile = null) =>
        SequenceModel.Load(
            new ModelLoadOptions
            {
                Name = "calibrated",
                Folder = folder,
                ComputeType = computeType,
                CalibrationFile = calibrationFile,
                Threads = 1,
            },
            TestContext.Current.CancellationToken
        );
}
