using System.ComponentModel;
using System.Diagnostics;

namespace Seq2Seq.Api.EmbeddedPostgres;

/// <summary>
/// The user that PostgreSQL's programs run as: the service's own, or, because PostgreSQL refuses root, an unprivileged one that the
/// service drops to (setpriv replaces itself, so the program is our child).
/// </summary>
/// <param name="user">The user to drop to; null to stay.</param>
internal sealed class PostgresAccount(string? user)
{
    public static PostgresAccount Of(EmbeddedPostgresOptions options) =>
        new(Environment.IsPrivilegedProcess ? options.User : null);

    /// <summary>Makes a folder, if it isn't there, that only this account (and root) can enter.</summary>
    /// <exception cref="EmbeddedPostgresException">The account can't reach it, or does not exist.</exception>
    public async Task MakeFolderAsync(string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (user is null)
        {
            return;
        }

        await GiveAsync(path, cancellationToken);
        CommandOutcome outcome = await RunAsync("test", ["-w", path], cancellationToken);
        if (outcome.ExitCode != 0)
        {
            throw new EmbeddedPostgresException(
                $"The service runs as root, so PostgreSQL runs as '{user}', who can't reach '{path}' because a folder above it is closed. Choose another data folder (--data)."
            );
        }
    }

    /// <summary>Gives a file or folder to this account.</summary>
    public async Task GiveAsync(string path, CancellationToken cancellationToken)
    {
        if (user is null)
        {
            return;
        }

        CommandOutcome outcome = await RunAsync(new ProcessStartInfo("chown", [user + ":", path]), cancellationToken);
        if (outcome.ExitCode != 0)
        {
            throw new EmbeddedPostgresException(
                $"The service runs as root, so PostgreSQL must run as another user, and '{user}' (EmbeddedPostgres:User) won't do: {outcome.Text}"
            );
        }
    }

    /// <summary>Runs a program to its end as this account.</summary>
    public Task<CommandOutcome> RunAsync(
        string program,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken
    ) =>
        RunAsync(
            user is null
                ? new ProcessStartInfo(program, arguments)
                : new ProcessStartInfo(
                    "setpriv",
                    [$"--reuid={user}", $"--regid={user}", "--init-groups", "--", program, .. arguments]
                ),
            cancellationToken
        );

    private static async Task<CommandOutcome> RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        start.UseShellExecute = false;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        // The account may not be able to enter the current folder.
        start.WorkingDirectory = "/";
        foreach (
            string name in start.Environment.Keys.Where(n => n.StartsWith("PG", StringComparison.Ordinal)).ToList()
        )
        {
            start.Environment.Remove(name);
        }

        start.Environment["LC_ALL"] = "C";
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            try
            {
                Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
                await process.WaitForExitAsync(cancellationToken);
                return new CommandOutcome(process.ExitCode, (await error + await output).Trim());
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
        catch (Win32Exception e)
        {
            throw new EmbeddedPostgresException($"'{start.FileName}' can't be run: {e.Message}", e);
        }
    }
}

/// <summary>How a program ended, and what it printed.</summary>
internal sealed record CommandOutcome(int ExitCode, string Text);
