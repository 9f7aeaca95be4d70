using System.Diagnostics;
using System.Globalization;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>A data folder of one test; its PostgreSQL is stopped and it is removed at the end, whatever the test has killed.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("seq2seq-e2e-");

    /// <param name="everyones">Any user may make things in it.</param>
    public DataFolder(bool everyones = false) =>
        // Temporary folders are closed to others, and PostgreSQL runs as another user when the tests run as root.
        File.SetUnixFileMode(_folder.FullName, (UnixFileMode)(everyones ? 0b111_111_111 : 0b111_001_001));

    public string Path => _folder.FullName;

    /// <summary>The process of the database server; null when none runs.</summary>
    public int? Server
    {
        get
        {
            string file = System.IO.Path.Combine(Path, "postgres", "data", "postmaster.pid");
            if (!File.Exists(file))
            {
                return null;
            }

            int id = int.Parse(File.ReadLines(file).First(), CultureInfo.InvariantCulture);
            return Directory.Exists($"/proc/{id}") ? id : null;
        }
    }

    public void Dispose()
    {
        if (Server is { } server)
        {
            using var process = Process.GetProcessById(server);
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        _folder.Delete(recursive: true);
    }
}
