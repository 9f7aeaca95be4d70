using System.CommandLine;
using Seq2Seq.Api.CommandLine;

namespace Seq2Seq.Api.Tests.CommandLine;

public sealed class TextOptionsTests
{
    [Theory]
    [InlineData("", null, null)]
    [InlineData("", """{"num_beams":2}""", """{"num_beams":2}""")]
    [InlineData("--tgt-lang fra_Latn", null, """{"tgt_lang":"fra_Latn"}""")]
    [InlineData(
        "--src-lang en --tgt-lang fr --long-lines split",
        """{"num_beams":2}""",
        """{"num_beams":2,"src_lang":"en","tgt_lang":"fr","long_lines":"split"}"""
    )]
    public void Options_become_parameters(string arguments, string? parameters, string? merged) =>
        Merge(arguments, parameters).Should().Be(merged);

    [Theory]
    [InlineData("""{"tgt_lang":"fr"}""", "--tgt-lang and --parameters both have tgt_lang.")]
    [InlineData("[]", "--parameters: expected a JSON object.")]
    [InlineData("null", "--parameters: expected a JSON object.")]
    public void What_is_said_twice_or_is_no_object_is_refused(string parameters, string message)
    {
        Action merge = () => Merge("--tgt-lang fr", parameters);

        merge.Should().Throw<CommandException>().WithMessage(message).Which.Code.Should().Be(ExitCode.Usage);
    }

    private static string? Merge(string arguments, string? parameters)
    {
        var options = new TextOptions();
        var command = new Command("test");
        options.AddTo(command);
        return options.Merge(command.Parse(arguments), parameters);
    }
}
