using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.LongLines;

/// <summary>What becomes of lines that are too long, on the bundled model: relative positions, and texts of single words.</summary>
public sealed class LongLinesTests : IAsyncLifetime
{
    private const string Line = "phonemize: one. two. three.";

    // "phonemize: one." fits.
    private static readonly GenerationParameters _short = new() { MaxSourceLength = 6, MaxNewTokens = 20 };

    private static readonly string _folder = Path.Join(AppContext.BaseDirectory, "Data", "english-tts");

    private readonly Tokenizer _tokenizer = Tokenizer.Load(_folder);
    private SequenceModel _model = null!;

    public ValueTask InitializeAsync()
    {
        ModelLoadOptions options = new()
        {
            Name = "english-tts",
            Folder = _folder,
            ComputeType = "float32",
            Threads = 1,
        };
        _model = SequenceModel.Load(options, TestContext.Current.CancellationToken);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _model.DisposeAsync();

    [Theory]
    [InlineData(null)]
    [InlineData(LongLinePolicy.Error)]
    public async Task A_line_that_is_too_long_is_an_error_unless_said_otherwise(LongLinePolicy? policy)
    {
        SequenceResult result = await GenerateAsync(_short with { LongLines = policy }, Line);

        result.Outputs.Should().BeEmpty();
        result.Error!.Code.Should().Be(LineErrorCodes.TooLong);
        result.Error.Message.Should().Contain($"{Encode(Line).Count} tokens").And.Contain("at most 6");
    }

    [Theory]
    [InlineData(LongLinePolicy.Error)]
    [InlineData(LongLinePolicy.Truncate)]
    [InlineData(LongLinePolicy.Split)]
    public async Task A_line_that_fits_is_the_same_whatever_is_said(LongLinePolicy policy)
    {
        const string Fits = "phonemize: one";

        SequenceResult result = await GenerateAsync(_short with { LongLines = policy }, Fits);

        result.Should().BeEquivalentTo(await GenerateAsync(new GenerationParameters { MaxNewTokens = 20 }, Fits));
    }

    [Fact]
    public async Task A_truncated_line_keeps_its_beginning_and_its_end_token()
    {
        IReadOnlyList<int> whole = Encode(Line);

        SequenceResult result = await GenerateAsync(_short with { LongLines = LongLinePolicy.Truncate }, Line);

        int[] cut = [.. whole.Take(5), whole[^1]];
        SequenceResult expected = await GenerateAsync(_short, SequenceInput.FromTokenIds(cut));
        result.Outputs.Should().BeEquivalentTo(expected.Outputs);
    }

    [Fact]
    public async Task A_truncated_line_says_how_much_of_it_was_read()
    {
        GenerationParameters parameters = _short with { LongLines = LongLinePolicy.Truncate };

        SequenceResult generated = await GenerateAsync(parameters, Line);
        SequenceResult scored = await GenerateAsync(
            parameters,
            new SequenceInput { Text = Line, TargetText = "W AH1 N" }
        );

        generated.Truncation.Should().Be(new SourceTruncation(SourceTokens: Encode(Line).Count, KeptTokens: 6));
        scored.Truncation.Should().Be(generated.Truncation);
    }

    [Fact]
    public async Task A_split_line_is_not_a_truncated_one() =>
        (await GenerateAsync(_short with { LongLines = LongLinePolicy.Split }, Line)).Truncation.Should().BeNull();

    [Fact]
    public async Task A_split_line_has_the_outputs_of_its_pieces_with_its_white_space_between_them()
    {
        GenerationParameters parameters = _short with
        {
            LongLines = LongLinePolicy.Split,
            LengthPenalty = 0.5,
            TokenLogprobs = true,
            NumBeams = 2,
        };
        SequenceOutput[] parts =
        [
            await OutputAsync(parameters, "phonemize: one."),
            await OutputAsync(parameters, "phonemize: two."),
        ];

        SequenceOutput joined = await OutputAsync(parameters, "phonemize: one. \n phonemize: two.");

        joined.Text.Should().Be($"{parts[0].Text} \n {parts[1].Text}");
        joined.TokenIds.Should().Equal([.. parts[0].TokenIds, .. parts[1].TokenIds]);
        joined.TokenLogprobs.Should().Equal([.. parts[0].TokenLogprobs!, .. parts[1].TokenLogprobs!]);
        joined
            .Score.Should()
            .BeApproximately(joined.TokenLogprobs.Sum(p => (double)p) / Math.Sqrt(joined.TokenIds.Count), 1e-4);
        joined.FinishReason.Should().Be(FinishReason.Stop);
    }

    [Fact]
    public async Task A_split_line_of_which_one_piece_met_the_length_limit_says_so()
    {
        GenerationParameters parameters = _short with { LongLines = LongLinePolicy.Split, MaxNewTokens = 2 };

        SequenceOutput joined = await OutputAsync(parameters, Line);

        joined.FinishReason.Should().Be(FinishReason.Length);
    }

    [Fact]
    public async Task Pieces_of_equal_text_draw_different_outputs()
    {
        GenerationParameters parameters = _short with
        {
            LongLines = LongLinePolicy.Split,
            DoSample = true,
            Temperature = 5,
            Seed = 3,
            MinNewTokens = 8,
        };

        SequenceOutput joined = await OutputAsync(parameters, "phonemize: one.\nphonemize: one.");

        string[] outputs = joined.Text!.Split('\n');
        outputs[0].Should().NotBe(outputs[1]);
    }

    [Fact]
    public async Task Several_outputs_of_a_line_that_may_be_split_are_refused()
    {
        GenerationParameters parameters = _short with
        {
            LongLines = LongLinePolicy.Split,
            NumBeams = 2,
            NumReturnSequences = 2,
        };

        Func<Task> generate = () => GenerateAsync(parameters, "phonemize: one");

        (await generate.Should().ThrowAsync<GenerationParametersException>())
            .Which.Parameter.Should()
            .Be("num_return_sequences");
    }

    [Theory]
    [InlineData(LongLinePolicy.Truncate)]
    [InlineData(LongLinePolicy.Split)]
    public async Task Token_ids_are_neither_cut_nor_split(LongLinePolicy policy)
    {
        SequenceResult result = await GenerateAsync(
            _short with
            {
                LongLines = policy,
            },
            SequenceInput.FromTokenIds(Encode(Line))
        );

        result.Error!.Code.Should().Be(LineErrorCodes.TooLong);
    }

    [Fact]
    public async Task A_line_with_a_target_is_not_split()
    {
        SequenceResult result = await GenerateAsync(
            _short with
            {
                LongLines = LongLinePolicy.Split,
            },
            new SequenceInput { Text = Line, TargetText = "W AH1 N" }
        );

        result.Error!.Code.Should().Be(LineErrorCodes.TooLong);
    }

    [Fact]
    public async Task A_limit_with_no_room_for_a_character_is_an_error_of_the_line()
    {
        SequenceResult result = await GenerateAsync(
            _short with
            {
                LongLines = LongLinePolicy.Split,
                MaxSourceLength = 1,
            },
            Line
        );

        result.Error!.Code.Should().Be(LineErrorCodes.TooLong);
    }

    [Fact]
    public async Task More_than_the_model_takes_is_refused()
    {
        Func<Task> generate = () => GenerateAsync(new GenerationParameters { MaxSourceLength = 1_000_000 }, Line);

        (await generate.Should().ThrowAsync<GenerationParametersException>())
            .WithMessage("*1000000*at most 16384*")
            .Which.Parameter.Should()
            .Be("max_source_length");
    }

    [Fact]
    public async Task Special_tokens_in_a_text_are_characters_when_asked()
    {
        const string Text = "phonemize: a</s>b";
        IReadOnlyList<int> plain = _tokenizer.Encode(Text, new EncodeOptions { SplitSpecialTokens = true });
        plain.Should().NotEqual(Encode(Text));
        GenerationParameters parameters = new() { MaxNewTokens = 20 };

        SequenceResult result = await GenerateAsync(parameters with { SplitSpecialTokens = true }, Text);

        result.Should().BeEquivalentTo(await GenerateAsync(parameters, SequenceInput.FromTokenIds(plain)));
    }

    private IReadOnlyList<int> Encode(string text) => _tokenizer.Encode(text, EncodeOptions.Default);

    private async Task<SequenceOutput> OutputAsync(GenerationParameters parameters, string text) =>
        (await GenerateAsync(parameters, text)).Outputs.Should().ContainSingle().Subject;

    private Task<SequenceResult> GenerateAsync(GenerationParameters parameters, string text) =>
        GenerateAsync(parameters, SequenceInput.FromText(text));

    private async Task<SequenceResult> GenerateAsync(GenerationParameters parameters, SequenceInput input) =>
        (await _model.GenerateAsync([input], parameters, TestContext.Current.CancellationToken))[0];
}
