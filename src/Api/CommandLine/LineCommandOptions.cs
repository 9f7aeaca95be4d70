using System.CommandLine;
using System.Globalization;
using Seq2Seq.Api.CommandLine.Lines;

namespace Seq2Seq.Api.CommandLine;

/// <summary>What <c>generate</c>, <c>tokenize</c> and <c>detokenize</c> share: a model folder, lines in, lines out.</summary>
internal sealed class LineCommandOptions
{
    private const string Standard = "-";

    public Option<string> Model { get; } =
        new("--model", "-m")
        {
            Description = "Model folder, as it lies on the Hugging Face hub",
            HelpName = "DIR",
            Required = true,
        };

    public Option<string> Input { get; } =
        new("--input", "-i")
        {
            Description = "JSON Lines to read; - is standard input",
            HelpName = "FILE",
            DefaultValueFactory = _ => Standard,
        };

    public Option<string> Output { get; } =
        new("--output", "-o")
        {
            Description = "JSON Lines to write, in the order of the input; - is standard output",
            HelpName = "FILE",
            DefaultValueFactory = _ => Standard,
        };

    public void AddTo(Command command)
    {
        command.Options.Add(Model);
        command.Options.Add(Input);
        command.Options.Add(Output);
    }

    /// <summary>The model folder, checked to be one.</summary>
    public string Folder(ParseResult parsed) => ModelFolder.Existing(parsed.GetRequiredValue(Model));

    /// <summary>Runs the lines through <paramref name="answer"/> and says how many failed.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(
        ParseResult parsed,
        Func<IReadOnlyList<InputLine>, CancellationToken, Task<LineAnswer[]>> answer,
        CancellationToken cancellationToken
    )
    {
        string inputPath = parsed.GetRequiredValue(Input);
        string outputPath = parsed.GetRequiredValue(Output);
        if (
            inputPath != Standard
            && outputPath != Standard
            && Path.GetFullPath(inputPath) == Path.GetFullPath(outputPath)
        )
        {
            throw new CommandException($"'{inputPath}' can't be both input and output.");
        }

        await using Stream input = OpenInput(inputPath);
        await using Stream output = OpenOutput(outputPath);
        LineCounts counts = await LinePipeline.RunAsync(input, output, answer, cancellationToken);
        if (counts.Failed == 0)
        {
            return ExitCode.Success;
        }

        await Console.Error.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"seq2seq: {counts.Failed} of {counts.Lines} lines failed; their answers have an 'error'."
            )
        );
        return ExitCode.LinesFailed;
    }

    private static Stream OpenInput(string path)
    {
        if (path == Standard)
        {
            return Console.OpenStandardInput();
        }

        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"Input '{path}' can't be read: {Reason(e)}", e);
        }
    }

    private static Stream OpenOutput(string path)
    {
        if (path == Standard)
        {
            return new BufferedStream(Console.OpenStandardOutput(), 64 * 1024);
        }

        try
        {
            return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 64 * 1024);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"Output '{path}' can't be written: {Reason(e)}", e);
        }
    }

    private static string Reason(Exception e) =>
        e switch
        {
            FileNotFoundException => "there is no such file.",
            DirectoryNotFoundException => "there is no such folder.",
            UnauthorizedAccessException => "it is a folder, or access is denied.",
            _ => e.Message,
        };
}
