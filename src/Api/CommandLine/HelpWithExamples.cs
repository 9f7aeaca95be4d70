using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Seq2Seq.Api.CommandLine;

/// <summary>The library's help, then the command's examples; at the root also what the exit codes mean.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is ExampleCommand { Examples.Count: > 0 } command)
        {
            output.WriteLine("Examples:");
            foreach (string example in command.Examples)
            {
                output.WriteLine("  " + example);
            }

            output.WriteLine();
        }
        else if (parseResult.CommandResult.Command is RootCommand)
        {
            output.WriteLine(
                """
                Exit codes:
                  0    done
                  1    failed: a file, a model or a service; one line on stderr says why
                  2    the command line is wrong
                  3    done, and some lines have an error as their result
                  70   an unexpected error: a bug, please report it
                  130  interrupted

                """
            );
        }

        return ExitCode.Success;
    }
}
