using Hangfire.PostgreSql;
using Npgsql;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Hangfire's connections: like the process's others, in a pool of their own, but their transactions don't wait for the disk
/// (<see cref="Durability"/>): nothing is in Hangfire's tables that is not in ours.
/// </summary>
internal sealed class NotAwaitedConnectionFactory(NpgsqlDataSource dataSource) : IConnectionFactory
{
    private readonly NpgsqlConnection _template = JobsDataSource.CreateVariant(
        dataSource,
        settings => settings.Options = $"{settings.Options} {Durability.NotAwaitedOption}".Trim()
    );

    public NpgsqlConnection GetOrCreateConnection() => (NpgsqlConnection)((ICloneable)_template).Clone();
}
