using System.Globalization;
using System.Text;

namespace Seq2Seq.Api.EmbeddedPostgres;

/// <summary>The settings that the server starts with, for a queue of text beside models that want the memory.</summary>
internal static class PostgresSettings
{
    /// <summary>Part of the socket's file name only: the server listens on no port.</summary>
    public const int Port = 5499;

    private static readonly (string Name, string Value)[] Ours =
    [
        ("listen_addresses", ""),
        ("port", Port.ToString(CultureInfo.InvariantCulture)),
        ("unix_socket_permissions", "0700"),
        ("password_encryption", "scram-sha-256"),
        // Two processes with a full pool each (100 is Npgsql's bound), and room for commands and an operator beside them.
        ("max_connections", "220"),
        ("shared_buffers", "128MB"),
        ("work_mem", "8MB"),
        ("maintenance_work_mem", "64MB"),
        // Inputs and results are written once: fewer checkpoints, smaller full-page images.
        ("wal_compression", "on"),
        ("max_wal_size", "2GB"),
        ("min_wal_size", "128MB"),
        ("checkpoint_timeout", "15min"),
        // Queue tables turn over all the time.
        ("autovacuum_naptime", "15s"),
        ("random_page_cost", "1.1"),
        // Short statements: compiling or spreading them costs more than it saves.
        ("jit", "off"),
        ("max_parallel_workers_per_gather", "0"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_line_prefix", "%m [%p] "),
        ("log_checkpoints", "off"),
    ];

    /// <summary>A configuration file: ours, then the operator's over them.</summary>
    /// <exception cref="EmbeddedPostgresException">A name is none.</exception>
    public static string Write(string socketFolder, IReadOnlyDictionary<string, string> operators)
    {
        var text = new StringBuilder("# Written at every start; see EmbeddedPostgres:Settings.\n");
        foreach ((string name, string value) in Ours.Append(("unix_socket_directories", Quote(socketFolder))))
        {
            if (!operators.ContainsKey(name))
            {
                Append(text, name, value);
            }
        }

        foreach ((string name, string value) in operators)
        {
            if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.'))
            {
                throw new EmbeddedPostgresException(
                    $"EmbeddedPostgres:Settings has '{name}'; expected a setting of PostgreSQL."
                );
            }

            Append(text, name, value);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, string name, string value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name} = '{value.Replace("'", "''", StringComparison.Ordinal)}'\n");

    // A list of folders: quoted as one, it may hold commas and blanks.
    private static string Quote(string folder) => $"\"{folder.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
