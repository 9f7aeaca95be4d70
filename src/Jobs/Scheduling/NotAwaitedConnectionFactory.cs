using Hangfire.PostgreSql;
using Npgsql;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Hangfire's connections: like the process's others, in a pool of their own, but their transactions don't wait for the disk
/// (<see cref="Durability"/>): nothing is in Hangfire's tables that is not in ours.
/// </summary>
internal sealed class NotAwaitedConnectionFactory : IConnectionFactory
{
    private readonly NpgsqlConnection _template;

    public NotAwaitedConnectionFactory(NpgsqlDataSource dataSource)
    {
        using var original = dataSource.CreateConnection();
        var settings = new NpgsqlConnectionStringBuilder(original.ConnectionString);
        settings.Options = $"{settings.Options} {Durability.NotAwaitedOption}".Trim();
        // Keeps the password, which a connection string does not show.
        _template = original.CloneWith(settings.ConnectionString);
    }

    public NpgsqlConnection GetOrCreateConnection() => (NpgsqlConnection)((ICloneable)_template).Clone();
}
