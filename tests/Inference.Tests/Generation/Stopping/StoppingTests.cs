using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Generation.Stopping;

/// <summary>What ends outputs before their end token or their length does.</summary>
public sealed class StoppingTests
{
    [Fact]
    public async Task Outputs_end_with_a_stop_string_as_those_of_the_reference()
    {
        await using SequenceModel model = BundledModel.Load();
        foreach (JsonElement test in GoldenOptions.Data.GetProperty("stopped").EnumerateArray())
        {
            JsonElement[] lines = [.. test.GetProperty("lines").EnumerateArray()];
            IReadOnlyList<SequenceResult> results = await GenerateAsync(
                model,
                [.. lines.Select(line => SequenceInput.FromTokenIds(line.GetProperty("ids").Deserialize<int[]>()!))],
                GenerationParametersJson.Read(test.GetProperty("parameters"))
            );

            foreach ((SequenceResult result, JsonElement line) in results.Zip(lines))
            {
                GoldenOutputs.ShouldBe(result, line.GetProperty("outputs"), test.GetProperty("parameters").ToString());
            }
        }
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"drafting":true}""")]
    [InlineData("""{"num_beams":3,"num_return_sequences":3}""")]
    [InlineData("""{"num_beams":4,"num_beam_groups":2,"diversity_penalty":2.0,"num_return_sequences":4}""")]
    [InlineData("""{"do_sample":true,"seed":1,"num_return_sequences":4}""")]
    public async Task A_stop_string_stands_at_the_end_of_an_output_and_nowhere_else(string json)
    {
        const string Stop = "0 L";
        await using SequenceModel model = BundledModel.Load();

        IReadOnlyList<SequenceResult> results = await GenerateAsync(
            model,
            [
                .. "wonderful able little castle uncle total final"
                    .Split(' ')
                    .Select(word => SequenceInput.FromText($"phonemize: {word}")),
            ],
            GenerationParametersJson.Read(JsonElement.Parse(json)) with
            {
                StopStrings = [Stop],
            }
        );

        string[] texts = [.. results.SelectMany(result => result.Outputs).Select(output => output.Text!)];
        texts.Should().Contain(text => text.EndsWith(Stop));
        texts.Should().OnlyContain(text => !text.Contains(Stop) || text.IndexOf(Stop) == text.Length - Stop.Length);
        results
            .SelectMany(result => result.Outputs)
            .Should()
            .OnlyContain(output => output.FinishReason == FinishReason.Stop);
    }

    [Fact]
    public async Task Stop_strings_need_the_tokenizer()
    {
        await using SequenceModel model = SequenceModel.Load(
            GoldenFamily.Open("t5").Options,
            TestContext.Current.CancellationToken
        );

        model
            .Invoking(loaded => loaded.Validate(new GenerationParameters { StopStrings = ["."] }))
            .Should()
            .Throw<GenerationParametersException>()
            .WithMessage("*'stop_strings'*tokenizer*");
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"num_beams":3,"num_return_sequences":3}""")]
    [InlineData("""{"num_beams":4,"num_beam_groups":2,"diversity_penalty":2.0,"num_return_sequences":4}""")]
    [InlineData("""{"do_sample":true,"seed":1,"num_return_sequences":3}""")]
    public async Task When_the_time_is_up_outputs_end_with_the_token_of_that_moment(string json)
    {
        // Each look at the clock takes a second: the first is the beginning.
        FakeTimeProvider time = new() { AutoAdvanceAmount = TimeSpan.FromSeconds(1) };
        await using SequenceModel model = SequenceModel.Load(
            GoldenFamily.Open("t5").Options with
            {
                Time = time,
            },
            TestContext.Current.CancellationToken
        );

        SequenceResult result = (
            await GenerateAsync(
                model,
                [SequenceInput.FromTokenIds([5, 6, 7, 1])],
                GenerationParametersJson.Read(JsonElement.Parse(json)) with
                {
                    MaxTime = 4.5,
                    MaxNewTokens = 500,
                    MinNewTokens = 500,
                }
            )
        )[0];

        result
            .Outputs.Should()
            .OnlyContain(output => output.FinishReason == FinishReason.Time && output.TokenIds.Count <= 5);
        result.Outputs.Max(output => output.TokenIds.Count).Should().BeInRange(2, 5);
    }

    private static Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        SequenceModel model,
        IReadOnlyList<SequenceInput> lines,
        GenerationParameters parameters
    ) => model.GenerateAsync(lines, parameters, TestContext.Current.CancellationToken);
}
