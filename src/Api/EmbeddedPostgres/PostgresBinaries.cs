using System.Globalization;

namespace Seq2Seq.Api.EmbeddedPostgres;

/// <summary>PostgreSQL's programs on this machine.</summary>
/// <param name="Folder">Holds <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c>.</param>
internal sealed record PostgresBinaries(string Folder)
{
    // Debian and Ubuntu; Red Hat's kin; Arch, Alpine and containers.
    private static readonly (string Parent, string Prefix, string Bin)[] Places =
    [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/usr/libexec", "postgresql", ""),
    ];

    public string Initdb => Path.Combine(Folder, "initdb");

    public string PgCtl => Path.Combine(Folder, "pg_ctl");

    /// <summary>The configured folder, or the newest that is installed.</summary>
    /// <param name="configured">A folder; empty to search.</param>
    /// <param name="major">Only this major version, as <c>PG_VERSION</c> has it: data is bound to it. Null for any.</param>
    /// <exception cref="EmbeddedPostgresException">There are none.</exception>
    public static PostgresBinaries Find(string configured, string? major)
    {
        if (configured.Length > 0)
        {
            return IsWhole(configured)
                ? new PostgresBinaries(Path.GetFullPath(configured))
                : throw new EmbeddedPostgresException(
                    $"'{configured}' does not hold initdb, pg_ctl and postgres; see EmbeddedPostgres:BinaryFolder."
                );
        }

        string? found = Installed()
            .Where(place => major is null || place.Version.ToString(CultureInfo.InvariantCulture) == major)
            .OrderByDescending(place => place.Version)
            .Select(place => place.Folder)
            .FirstOrDefault();
        if (found is null && major is null)
        {
            found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').FirstOrDefault(IsWhole);
        }

        return found is not null
            ? new PostgresBinaries(found)
            : throw new EmbeddedPostgresException(
                $"PostgreSQL{(major is null ? "" : " " + major + ", which made the data folder,")} is not installed. "
                    + $"Install it (Debian and Ubuntu: apt-get install postgresql{(major is null ? "" : "-" + major)}), "
                    + "name its folder in EmbeddedPostgres:BinaryFolder, or give a database in ConnectionStrings:Jobs."
            );
    }

    private static IEnumerable<(int Version, string Folder)> Installed() =>
        from place in Places
        where Directory.Exists(place.Parent)
        from directory in Directory.EnumerateDirectories(place.Parent, place.Prefix + "*")
        let name = Path.GetFileName(directory)[place.Prefix.Length..]
        where int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)
        let folder = Path.Combine(directory, place.Bin)
        where IsWhole(folder)
        select (int.Parse(name, CultureInfo.InvariantCulture), folder);

    private static bool IsWhole(string folder) =>
        folder.Length > 0
        && File.Exists(Path.Combine(folder, "initdb"))
        && File.Exists(Path.Combine(folder, "pg_ctl"))
        && File.Exists(Path.Combine(folder, "postgres"));
}
