namespace Seq2Seq.Inference.Tests.Families;

/// <summary>What the load report says where a configuration asks for something that the reference does not do.</summary>
public sealed class LoadNotesTests
{
    [Theory]
    [InlineData("t5gemma", "attn_logit_softcapping is 50")]
    [InlineData("fsmt", "AsPublished gives each its own")]
    [InlineData("fsmt-published", "as published")]
    [InlineData("nllb-moe", "AsPublished sends them where the router says")]
    [InlineData("nllb-moe-published", "as published")]
    public async Task The_report_says_what_is_not_as_asked(string name, string note)
    {
        await using SequenceModel model = SequenceModel.Load(
            GoldenFamily.Open(name).Options,
            TestContext.Current.CancellationToken
        );

        model.Report.Notes.Should().Contain(text => text.Contains(note, StringComparison.Ordinal));
    }
}
