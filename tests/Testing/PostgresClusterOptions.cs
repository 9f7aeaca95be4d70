using System.Globalization;

namespace Seq2Seq.Testing;

/// <summary>How a <see cref="PostgresCluster"/> differs from the usual one of tests.</summary>
public sealed record PostgresClusterOptions
{
    internal const int UsualPort = 5432;

    /// <summary>TCP port; null: the Unix socket alone.</summary>
    public int? Port { get; init; }

    /// <summary>Addresses to listen on when there is a port.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = ["127.0.0.1"];

    /// <summary>A network whose clients are let in besides loopback's, as pg_hba.conf writes it.</summary>
    public string? Network { get; init; }

    public int MaxConnections { get; init; } = 500;

    /// <summary>Commits wait until they would outlive a crash of the server (though not one of the machine).</summary>
    public bool IsDurable { get; init; }

    /// <summary>Size of the file system for its tables, as tmpfs takes it (<c>192m</c>); null: no limit. Needs root.</summary>
    public string? DiskSize { get; init; }

    internal IEnumerable<string> ToArguments() =>
        [
            "-c",
            "listen_addresses=" + (Port is null ? "" : string.Join(',', Addresses)),
            "-c",
            string.Create(CultureInfo.InvariantCulture, $"port={Port ?? UsualPort}"),
            "-c",
            string.Create(CultureInfo.InvariantCulture, $"max_connections={MaxConnections}"),
            "-c",
            "synchronous_commit=" + (IsDurable ? "on" : "off"),
        ];
}
