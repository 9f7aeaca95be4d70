namespace Seq2Seq.Api.CommandLine;

/// <summary>What the process says to its caller; stable, listed by <c>seq2seq --help</c> and in docs/command-line.md.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The command could not do its work: a file, a model, a service; one line on stderr says why.</summary>
    public const int Failure = 1;

    /// <summary>The command line itself is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The work was done to its end, and some lines have an error as their result.</summary>
    public const int LinesFailed = 3;

    /// <summary>An error that no part of the program expected (EX_SOFTWARE of sysexits.h): a bug.</summary>
    public const int Bug = 70;

    /// <summary>Interrupted (128 + SIGINT, as shells do).</summary>
    public const int Interrupted = 130;
}
