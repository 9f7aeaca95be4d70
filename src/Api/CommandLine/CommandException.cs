namespace Seq2Seq.Api.CommandLine;

/// <summary>A command can't do its work; its message, one clear line, is all that the user sees.</summary>
internal sealed class CommandException(string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public int Code { get; init; } = ExitCode.Failure;
}
