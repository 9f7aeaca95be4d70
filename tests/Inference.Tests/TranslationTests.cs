using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Tokenization;

namespace Seq2Seq.Inference.Tests;

/// <summary>
/// Languages of multilingual models, from text to text, against the reference (Data/translations, made with transformers
/// 5.17.0): tiny models on the tokenizers of Data/tokenizers.
/// </summary>
public sealed class TranslationTests
{
    public static TheoryData<string> Models =>
        [
            .. Directory
                .EnumerateDirectories(Path.Join(AppContext.BaseDirectory, "Data", "translations"))
                .Select(folder => Path.GetFileName(folder))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Languages_give_the_tokens_of_the_reference(string name)
    {
        using Multilingual multilingual = new(name);
        await using SequenceModel model = multilingual.Load();
        foreach (JsonElement test in multilingual.Cases.GetProperty("cases").EnumerateArray())
        {
            GenerationParameters parameters = Languages(test) with
            {
                NumBeams = test.GetProperty("num_beams").GetInt32(),
                MaxNewTokens = 8,
            };

            IReadOnlyList<SequenceResult> results = await GenerateAsync(model, parameters, Text(test, "text")!);

            SequenceOutput output = results[0].Outputs.Should().ContainSingle().Subject;
            output.TokenIds.Should().Equal(Tokens(test, "token_ids"), test.ToString());
            output.Text.Should().Be(Text(test, "output"), test.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Targets_are_scored_in_the_target_language(string name)
    {
        using Multilingual multilingual = new(name);
        await using SequenceModel model = multilingual.Load();
        foreach (JsonElement test in multilingual.Cases.GetProperty("scores").EnumerateArray())
        {
            double[] expected = test.GetProperty("logprobs").Deserialize<double[]>()!;

            IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
                [new SequenceInput { Text = Text(test, "text"), TargetText = Text(test, "target") }],
                Languages(test),
                TestContext.Current.CancellationToken
            );

            SequenceOutput output = results[0].Outputs.Should().ContainSingle().Subject;
            output.TokenIds.Should().Equal(Tokens(test, "target_ids"), test.ToString());
            output
                .TokenLogprobs.Should()
                .Equal(expected, (actual, wanted) => Math.Abs(actual - wanted) < 2e-3, test.ToString());
        }
    }

    [Fact]
    public async Task The_report_of_a_load_names_the_languages()
    {
        using Multilingual multilingual = new("nllb");
        await using SequenceModel model = multilingual.Load();

        model.Report.Languages!.Source.Should().HaveCount(202).And.Contain("zul_Latn");
        model.Report.Languages.Target.Should().Equal(model.Report.Languages.Source);
    }

    [Fact]
    public async Task An_unknown_language_is_refused_before_anything_is_generated()
    {
        using Multilingual multilingual = new("m2m100");
        await using SequenceModel model = multilingual.Load();

        Func<Task> generate = () => GenerateAsync(model, new GenerationParameters { TargetLanguage = "tlh" }, "one");

        (await generate.Should().ThrowAsync<GenerationParametersException>()).Which.Parameter.Should().Be("tgt_lang");
    }

    [Fact]
    public async Task Another_first_token_than_that_of_the_language_is_refused()
    {
        using Multilingual multilingual = new("nllb");
        await using SequenceModel model = multilingual.Load();
        GenerationParameters parameters = new() { TargetLanguage = "fra_Latn", ForcedBosTokenId = 7 };

        Func<Task> generate = () => GenerateAsync(model, parameters, "one");

        (await generate.Should().ThrowAsync<GenerationParametersException>())
            .WithMessage("*'forced_bos_token_id' is 7*fra_Latn*")
            .Which.Parameter.Should()
            .Be("forced_bos_token_id");
    }

    [Fact]
    public async Task The_first_token_of_the_language_itself_may_be_given_too()
    {
        using Multilingual multilingual = new("m2m100");
        await using SequenceModel model = multilingual.Load();
        GenerationParameters parameters = new() { TargetLanguage = "fr", MaxNewTokens = 3 };
        int first = (await GenerateAsync(model, parameters, "one"))[0].Outputs[0].TokenIds[0];

        IReadOnlyList<SequenceResult> results = await GenerateAsync(
            model,
            parameters with
            {
                ForcedBosTokenId = first,
            },
            "one"
        );

        results[0].Outputs[0].TokenIds[0].Should().Be(first);
    }

    [Fact]
    public async Task A_line_that_begins_with_a_language_code_of_its_own_keeps_it()
    {
        using Multilingual multilingual = new("marian");
        await using SequenceModel model = multilingual.Load();
        GenerationParameters parameters = new() { TargetLanguage = "fra", MaxNewTokens = 8 };

        IReadOnlyList<SequenceResult> own = await GenerateAsync(model, parameters, ">>deu<< one two three");
        IReadOnlyList<SequenceResult> asked = await GenerateAsync(
            model,
            parameters with
            {
                TargetLanguage = "deu",
            },
            "one two three"
        );

        own[0].Outputs[0].TokenIds.Should().Equal(asked[0].Outputs[0].TokenIds);
    }

    private static Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        SequenceModel model,
        GenerationParameters parameters,
        string text
    ) => model.GenerateAsync([SequenceInput.FromText(text)], parameters, TestContext.Current.CancellationToken);

    private static GenerationParameters Languages(JsonElement test) =>
        new() { SourceLanguage = Text(test, "src_lang"), TargetLanguage = Text(test, "tgt_lang") };

    private static string? Text(JsonElement test, string name) => test.GetProperty(name).GetString();

    private static int[] Tokens(JsonElement test, string name) => test.GetProperty(name).Deserialize<int[]>()!;

    /// <summary>A model and its tokenizer, which lie apart, in a folder of their own.</summary>
    private sealed class Multilingual : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("seq2seq-translations-");

        public Multilingual(string name)
        {
            string model = Path.Join(AppContext.BaseDirectory, "Data", "translations", name);
            Cases = JsonElement.Parse(File.ReadAllBytes(Path.Join(model, "cases.json")));
            string tokenizer = ReferenceFolders.PathOf(Cases.GetProperty("tokenizer").GetString()!);
            // The model's config.json last.
            foreach (string file in Directory.EnumerateFiles(tokenizer).Concat(Directory.EnumerateFiles(model)))
            {
                File.Copy(file, Path.Join(_folder.FullName, Path.GetFileName(file)), overwrite: true);
            }
        }

        public JsonElement Cases { get; }

        public SequenceModel Load() =>
            SequenceModel.Load(
                new ModelLoadOptions
                {
                    Name = _folder.Name,
                    Folder = _folder.FullName,
                    ComputeType = "float32",
                    Threads = 1,
                },
                TestContext.Current.CancellationToken
            );

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
