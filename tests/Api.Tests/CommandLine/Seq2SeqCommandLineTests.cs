using Seq2Seq.Api.CommandLine;

namespace Seq2Seq.Api.Tests.CommandLine;

public sealed class Seq2SeqCommandLineTests
{
    [Theory]
    [InlineData("generate", "Option '--model' is required.")]
    [InlineData("nonsense", "Unrecognized command or argument 'nonsense'.")]
    [InlineData("generate --model x --threads many", "--threads")]
    [InlineData("generate --model x --threads -1", "--threads is -1; expected 0 to 1024.")]
    [InlineData("generate --model x --compute-type float8", "float8")]
    [InlineData(
        "generate --model . --device tpu",
        "'tpu' is not a device; expected 'cpu', 'cpu:N', 'cuda' or 'cuda:N'."
    )]
    [InlineData("generate --model . --parameters {", "--parameters: ")]
    [InlineData("generate --model . --long-lines cut", "'cut' not recognized")]
    public async Task A_wrong_command_line_is_exit_code_2_and_says_what_is_wrong(string arguments, string message)
    {
        Executable.Outcome run = await Executable.RunAsync("", arguments.Split(' '));

        run.ExitCode.Should().Be(ExitCode.Usage);
        run.Error.Should().StartWith("seq2seq: ").And.Contain(message);
        run.Output.Should().BeEmpty();
    }

    [Theory]
    [InlineData("generate --model /nowhere/at-all", "Model folder '/nowhere/at-all' does not exist.")]
    [InlineData("tokenize --model /etc/passwd", "'/etc/passwd' is a file; expected a model folder.")]
    [InlineData("models list --config /nowhere.json", "Configuration file '/nowhere.json' does not exist.")]
    public async Task What_is_not_there_is_exit_code_1_and_one_line(string arguments, string message)
    {
        Executable.Outcome run = await Executable.RunAsync("", arguments.Split(' '));

        run.ExitCode.Should().Be(ExitCode.Failure);
        run.Error.Should().Be($"seq2seq: {message}\n");
    }

    [Fact]
    public async Task Help_ends_with_examples_and_the_roots_with_exit_codes()
    {
        (await Executable.RunAsync("", "generate", "--help")).Output.Should().Contain("Examples:\n  echo ");
        (await Executable.RunAsync("", "--help")).Output.Should().Contain("130  interrupted");
    }

    [Fact]
    public async Task The_bundled_model_is_configured()
    {
        Executable.Outcome run = await Executable.RunAsync("", "models", "list");

        run.ExitCode.Should().Be(ExitCode.Success);
        run.Output.Should().StartWith("english-tts  t5  ");
    }
}
