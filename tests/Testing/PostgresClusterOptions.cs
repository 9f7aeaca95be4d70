using System.Globalization;

namespace Seq2Seq.Testing;

/// <summary>How a <see cref="PostgresCluster"/> differs from the usual one of tests.</summary>
public sealed record PostgresClusterOptions
{
    internal const int UsualPort = 5432;

    /// <summary>TCP port on loopback; null: the Unix socket alone.</summary>
    public int? Port { get; init; }

    public int MaxConnections { get; init; } = 500;

    /// <summary>Commits wait until they would outlive a crash of the server (though not one of the machine).</summary>
    public bool IsDurable { get; init; }

    /// <summary>Size of the file system for its tables, as tmpfs takes it (<c>192m</c>); null: no limit. Needs root.</summary>
    public string? DiskSize { get; init; }

    internal IEnumerable<string> ToArguments() =>
        [
            "-c",
            "listen_addresses=" + (Port is null ? "" : "127.0.0.1"),
            "-c",
            string.Create(CultureInfo.InvariantCulture, $"port={Port ?? UsualPort}"),
            "-c",
            string.Create(CultureInfo.InvariantCulture, $"max_connections={MaxConnections}"),
            "-c",
            "synchronous_commit=" + (IsDurable ? "on" : "off"),
        ];
}
