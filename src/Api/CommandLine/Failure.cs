using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Api.Authentication;
using Seq2Seq.Api.EmbeddedPostgres;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tokenization;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Api.CommandLine;

/// <summary>What a failed command tells its user: one line for each thing to mend, and for a bug all that helps to find it.</summary>
internal static class Failure
{
    /// <returns>The exit code.</returns>
    public static async Task<int> ReportAsync(Exception exception)
    {
        (int code, IEnumerable<string> lines) = Describe(exception);
        foreach (string line in lines)
        {
            await Console.Error.WriteLineAsync("seq2seq: " + line);
        }

        return code;
    }

    private static (int Code, IEnumerable<string> Lines) Describe(Exception exception) =>
        exception switch
        {
            OperationCanceledException => (ExitCode.Interrupted, ["interrupted"]),
            ApiKeyException e => (e.Code == "field_invalid" ? ExitCode.Usage : ExitCode.Failure, [e.Message]),
            CommandException e => (e.Code, [e.Message]),
            OptionsValidationException e => (ExitCode.Failure, e.Failures),
            InvalidDataException e => (ExitCode.Failure, [e.InnerException?.Message ?? e.Message]),
            NpgsqlException e => (ExitCode.Failure, ["The database can't be used: " + e.Message]),
            ModelLoadException
            or TokenizerLoadException
            or GenerationParametersException
            or EmbeddedPostgresException
            or MigrationException
            or ListeningRefusedException
            or IOException => (ExitCode.Failure, [exception.Message]),
            _ => (ExitCode.Bug, ["This should not have happened; please report it: " + exception]),
        };
}
