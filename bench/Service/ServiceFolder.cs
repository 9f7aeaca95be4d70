using System.Globalization;
using Npgsql;

namespace Seq2Seq.Bench.Service;

/// <summary>A temporary data folder of a service, with the PostgreSQL in it.</summary>
internal sealed class ServiceFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("seq2seq-bench-");

    public ServiceFolder() =>
        // Temporary folders are closed to others, and PostgreSQL runs as another user when this runs as root.
        File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_001_001);

    public string Path => _folder.FullName;

    /// <summary>The process of the database server; null when none runs.</summary>
    public int? Postmaster
    {
        get
        {
            string file = System.IO.Path.Combine(Path, "postgres", "data", "postmaster.pid");
            return File.Exists(file) ? int.Parse(File.ReadLines(file).First(), CultureInfo.InvariantCulture) : null;
        }
    }

    /// <summary>The database of the running service.</summary>
    public NpgsqlDataSource OpenDatabase() =>
        NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder
            {
                Host = System.IO.Path.Combine(Path, "postgres", "run"),
                Port = 5499,
                Username = "seq2seq",
                Password = File.ReadAllText(System.IO.Path.Combine(Path, "postgres.password")).Trim(),
                Database = "seq2seq",
                // Seen by nobody but this benchmark.
                MaxPoolSize = 1,
            }
        );

    public void Dispose() => _folder.Delete(recursive: true);
}
