using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Seq2Seq.Api.CommandLine;

/// <summary>
/// The executable's front: parses the command line, runs the command, and turns what went wrong into one line on stderr
/// and an exit code (<see cref="ExitCode"/>). Only <c>serve</c> and its kin load ASP.NET Core.
/// </summary>
internal static class Seq2SeqCommandLine
{
    private static readonly TimeSpan InterruptTimeout = TimeSpan.FromSeconds(5);

    public static RootCommand Build()
    {
        var root = new RootCommand(
            "Runs sequence-to-sequence models: as a durable job service, or here in this process."
        )
        {
            ServeCommand.Build(),
            RunCommand.Build(),
            JobsCommand.Build(),
            GenerateCommand.Build(),
            GenerateCommand.BuildScore(),
            TokenizeCommand.Build(),
            DetokenizeCommand.Build(),
            ModelsCommand.Build(),
            KeysCommand.Build(),
            MigrateCommand.Build(),
        };

        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        ParseResult parsed = Build().Parse(arguments);
        if (parsed.Action is ParseErrorAction)
        {
            return await RefuseAsync(parsed);
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = parsed.CommandResult.Command is ExampleCommand { StopsInOrder: true }
                        ? Timeout.InfiniteTimeSpan
                        : InterruptTimeout,
                }
            );
        }
        catch (Exception e)
        {
            return await Failure.ReportAsync(e);
        }
    }

    private static async Task<int> RefuseAsync(ParseResult parsed)
    {
        foreach (string message in parsed.Errors.Select(e => e.Message).Distinct(StringComparer.Ordinal))
        {
            await Console.Error.WriteLineAsync("seq2seq: " + message);
        }

        var path = new Stack<string>();
        for (
            var result = parsed.CommandResult;
            result is not null;
            result = result.Parent as System.CommandLine.Parsing.CommandResult
        )
        {
            path.Push(result.Command is RootCommand ? "seq2seq" : result.Command.Name);
        }

        await Console.Error.WriteLineAsync($"Try '{string.Join(' ', path)} --help'.");
        return ExitCode.Usage;
    }
}
