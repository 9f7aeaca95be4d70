using System.Security.Cryptography;
using System.Text;

namespace Seq2Seq.Jobs.Storage;

/// <summary>One file of <c>migrations/</c>, as it was built into this assembly.</summary>
/// <param name="Name">File name without ending, such as <c>0001_jobs</c>; scripts run in this order.</param>
internal sealed record MigrationScript(string Name, string Sql)
{
    private const string Prefix = "migrations/";
    private const string Ending = ".sql";

    /// <summary>SHA-256 of the text, whatever its line ends.</summary>
    public string Checksum { get; } =
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(Sql.Replace("\r\n", "\n", StringComparison.Ordinal)))
        );

    public static IReadOnlyList<MigrationScript> All { get; } =
    [
        .. typeof(MigrationScript)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(Read),
    ];

    private static MigrationScript Read(string resource)
    {
        using var stream = typeof(MigrationScript).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return new MigrationScript(resource[Prefix.Length..^Ending.Length], reader.ReadToEnd());
    }
}
