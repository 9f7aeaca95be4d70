using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.Tests.Families.Led;

/// <summary>Whom global attention is offered; what it computes is held to the reference by the golden tests of led-global.</summary>
public sealed class GlobalAttentionTests
{
    private static readonly GenerationParameters _firstToken = new() { GlobalAttention = GlobalAttention.FirstToken };

    [Theory]
    [InlineData("bart")]
    [InlineData("longt5-local")]
    public async Task A_family_without_global_attention_refuses_it_by_name(string name)
    {
        await using SequenceModel model = Load(name);

        FluentActions
            .Invoking(() => model.Validate(_firstToken))
            .Should()
            .Throw<GenerationParametersException>()
            .WithMessage("*'global_attention' is \"first_token\"*")
            .Which.Parameter.Should()
            .Be("global_attention");
        model.Validate(new GenerationParameters { GlobalAttention = GlobalAttention.None });
    }

    [Fact]
    public async Task Led_takes_it_and_answers_otherwise_than_without()
    {
        await using SequenceModel model = Load("led-global");
        int[] line = GoldenFamily.Open("led-global").InputIds[4];

        SequenceResult with = await GenerateAsync(model, line, _firstToken);
        SequenceResult without = await GenerateAsync(model, line, new GenerationParameters());

        with.Outputs[0].Score.Should().NotBe(without.Outputs[0].Score);
    }

    private static SequenceModel Load(string name) =>
        SequenceModel.Load(GoldenFamily.Open(name).Options, TestContext.Current.CancellationToken);

    private static async Task<SequenceResult> GenerateAsync(
        SequenceModel model,
        int[] line,
        GenerationParameters parameters
    ) =>
        (
            await model.GenerateAsync(
                [SequenceInput.FromTokenIds(line)],
                parameters,
                TestContext.Current.CancellationToken
            )
        )[0];
}
