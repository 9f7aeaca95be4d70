using Npgsql;

namespace Seq2Seq.Bench.Scale;

/// <summary>How large the tables that hold jobs are, and how many rows of theirs are dead.</summary>
/// <param name="Tables">By name.</param>
internal sealed record TableSizes(IReadOnlyDictionary<string, TableSize> Tables)
{
    // Those that every job or shard adds rows to. TOAST and indexes are in the total.
    private const string Query = """
        SELECT schemaname || '.' || relname, n_live_tup, n_dead_tup, pg_table_size(relid), pg_indexes_size(relid)
        FROM pg_stat_user_tables
        WHERE schemaname || '.' || relname = ANY ($1)
        """;

    private static readonly string[] _tables =
    [
        "public.job",
        "public.shard",
        "public.shard_result",
        "hangfire.job",
        "hangfire.state",
        "hangfire.jobqueue",
        "hangfire.jobparameter",
        "hangfire.counter",
    ];

    public static async Task<TableSizes> ReadAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = database.CreateCommand(Query);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = _tables });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<string, TableSize> sizes = new(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            sizes[reader.GetString(0).Replace("public.", "", StringComparison.Ordinal)] = new TableSize(
                reader.GetInt64(1),
                reader.GetInt64(2),
                reader.GetInt64(3),
                reader.GetInt64(4)
            );
        }

        return new TableSizes(sizes);
    }
}

/// <summary>One table.</summary>
/// <param name="Live">Rows, as PostgreSQL's statistics have them.</param>
/// <param name="Dead">Rows that wait to be vacuumed.</param>
/// <param name="Bytes">The table with what is stored apart from it.</param>
/// <param name="IndexBytes">Its indexes.</param>
internal sealed record TableSize(long Live, long Dead, long Bytes, long IndexBytes)
{
    public double Mebibytes => (Bytes + IndexBytes) / 1048576.0;
}
