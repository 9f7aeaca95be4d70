using System.Globalization;

namespace Seq2Seq.Api.EmbeddedPostgres;

/// <summary>
/// <c>postmaster.pid</c>: what a running server says of itself. A killed server leaves it behind, and its process id may since have
/// gone to a stranger, so the process is asked too: PostgreSQL's working folder is its data folder.
/// </summary>
// Lines (src/include/utils/pidfile.h): process id, data folder, start time, port, socket folder, listen address, shared memory
// key, status ("ready", "starting", "stopping", "standby"; padded with blanks).
internal sealed record PostmasterFile(int ProcessId, int Port, string SocketFolder, string Status)
{
    public bool IsReady => Status == "ready";

    /// <summary>What the server of a cluster says; null when none runs.</summary>
    public static PostmasterFile? ReadLive(string cluster)
    {
        string[]? lines = TryRead(PathIn(cluster));
        // Through its working folder, so that links on the way to ours don't matter.
        return
            lines is not null
            && Parse(lines) is { } file
            && TryRead($"/proc/{file.ProcessId}/cwd/postmaster.pid") is { } same
            && same.Take(3).SequenceEqual(lines.Take(3), StringComparer.Ordinal)
            ? file
            : null;
    }

    public static string PathIn(string cluster) => Path.Combine(cluster, "postmaster.pid");

    private static PostmasterFile? Parse(string[] lines)
    {
        // A starting server writes its lines one after the other.
        if (
            lines.Length == 0
            || !int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out int processId)
        )
        {
            return null;
        }

        int port =
            lines.Length > 3 && int.TryParse(lines[3], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : 0;
        return new PostmasterFile(
            processId,
            port,
            lines.Length > 4 ? lines[4] : "",
            lines.Length > 7 ? lines[7].Trim() : ""
        );
    }

    private static string[]? TryRead(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
