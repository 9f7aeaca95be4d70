using System.IO.Compression;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Tests;

/// <summary>The bundled model on its own test words, against what transformers answers (Data/make-english-tts.py).</summary>
public sealed class BundledModelTests
{
    [Theory]
    [InlineData("greedy", 1)]
    [InlineData("beam4", 4)]
    public async Task Every_test_word_is_answered_as_by_transformers(string golden, int beams)
    {
        string[] lines = await File.ReadAllLinesAsync(
            Path.Join(BundledModel.Folder, "test.tsv"),
            TestContext.Current.CancellationToken
        );
        SequenceInput[] words = [.. lines.Select(line => SequenceInput.FromText("phonemize: " + line.Split('\t')[0]))];
        await using SequenceModel model = BundledModel.Load();

        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            words,
            new GenerationParameters { NumBeams = beams },
            TestContext.Current.CancellationToken
        );

        results.Select(result => result.Outputs[0].Text).Should().Equal(Answers(golden));
    }

    [Fact]
    public async Task Drafting_changes_no_output()
    {
        SequenceInput[] lines =
        [
            .. Enumerable.Range(0, 300).Select(i => SequenceInput.FromText($"normalize: ${i / 7}.{i % 100:00}")),
        ];
        GenerationParameters parameters = new() { TokenLogprobs = true, Drafting = false };
        await using SequenceModel model = BundledModel.Load();
        IReadOnlyList<SequenceResult> expected = await model.GenerateAsync(
            lines,
            parameters,
            TestContext.Current.CancellationToken
        );

        IReadOnlyList<SequenceResult> drafted = await model.GenerateAsync(
            lines,
            parameters with
            {
                Drafting = true,
            },
            TestContext.Current.CancellationToken
        );

        drafted.Should().BeEquivalentTo(expected, options => options.WithStrictOrdering());
    }

    [Fact]
    public async Task Equal_lines_of_a_call_have_equal_results_and_keep_their_places()
    {
        await using SequenceModel model = BundledModel.Load();

        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [
                SequenceInput.FromText("phonemize: cat"),
                SequenceInput.FromText("phonemize: dog"),
                SequenceInput.FromText("phonemize: cat"),
            ],
            GenerationParameters.Default,
            TestContext.Current.CancellationToken
        );

        results[0].Outputs[0].Text.Should().Be("K AE1 T");
        results[1].Outputs[0].Text.Should().Be("D AO1 G");
        results[2].Should().BeSameAs(results[0]);
    }

    [Fact]
    public async Task Equal_lines_are_each_computed_where_that_is_not_saved()
    {
        await using SequenceModel model = BundledModel.Load(
            BundledModel.Options with
            {
                Savings = new LosslessSavings { EqualLines = false },
            }
        );

        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [SequenceInput.FromText("phonemize: cat"), SequenceInput.FromText("phonemize: cat")],
            GenerationParameters.Default,
            TestContext.Current.CancellationToken
        );

        results[1].Should().NotBeSameAs(results[0]).And.BeEquivalentTo(results[0]);
    }

    [Fact]
    public async Task Without_lossless_savings_every_output_is_the_same()
    {
        SequenceInput[] lines =
        [
            .. Enumerable.Range(0, 300).Select(i => SequenceInput.FromText($"normalize: ${i % 90}.{i % 50:00}")),
        ];
        GenerationParameters parameters = new() { ReturnScores = false };
        await using SequenceModel saving = BundledModel.Load();
        await using SequenceModel wasteful = BundledModel.Load(
            BundledModel.Options with
            {
                Savings = new LosslessSavings
                {
                    EqualLines = false,
                    PaddingRemoval = false,
                    Screening = false,
                },
            }
        );

        IReadOnlyList<SequenceResult> results = await wasteful.GenerateAsync(
            lines,
            parameters,
            TestContext.Current.CancellationToken
        );

        results
            .Should()
            .BeEquivalentTo(
                await saving.GenerateAsync(lines, parameters, TestContext.Current.CancellationToken),
                options => options.WithStrictOrdering()
            );
    }

    [Fact]
    public async Task What_is_wrong_with_a_line_is_its_result_and_the_others_go_on()
    {
        await using SequenceModel model = BundledModel.Load(BundledModel.Options with { MaxSourceTokens = 20 });

        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [
                SequenceInput.FromText(" "),
                SequenceInput.FromTokenIds([]),
                SequenceInput.FromTokenIds([5, 272]),
                SequenceInput.FromTokenIds([-1]),
                SequenceInput.FromText("phonemize: " + new string('a', 100)),
                SequenceInput.FromText("phonemize: cat"),
            ],
            GenerationParameters.Default,
            TestContext.Current.CancellationToken
        );

        results
            .Select(result => result.Error?.Code)
            .Should()
            .Equal(
                LineErrorCodes.Empty,
                LineErrorCodes.Empty,
                LineErrorCodes.TokenOutOfRange,
                LineErrorCodes.TokenOutOfRange,
                LineErrorCodes.TooLong,
                null
            );
        results[^1].Outputs[0].FinishReason.Should().Be(FinishReason.Stop);
    }

    [Theory]
    [InlineData("decoder_start_token_id")]
    [InlineData("eos_token_id")]
    [InlineData("suppress_tokens")]
    public async Task A_token_outside_the_vocabulary_is_refused_by_the_parameter(string parameter)
    {
        await using SequenceModel model = BundledModel.Load();
        GenerationParameters parameters = parameter switch
        {
            "decoder_start_token_id" => new GenerationParameters { DecoderStartTokenId = 272 },
            "eos_token_id" => new GenerationParameters { EosTokenId = [1, 272] },
            _ => new GenerationParameters { SuppressTokens = [272] },
        };

        model
            .Invoking(loaded => loaded.Validate(parameters))
            .Should()
            .Throw<GenerationParametersException>()
            .Which.Parameter.Should()
            .Be(parameter);
    }

    private static string[] Answers(string golden)
    {
        using GZipStream stream = new(
            File.OpenRead(Path.Join(BundledModel.Folder, golden + ".txt.gz")),
            CompressionMode.Decompress
        );
        using StreamReader reader = new(stream);
        return reader.ReadToEnd().TrimEnd('\n').Split('\n');
    }
}
