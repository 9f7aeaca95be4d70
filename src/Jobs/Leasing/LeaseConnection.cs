using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>
/// The one connection by which a process renews its leases, in a pool of its own: requests that have taken every connection of the
/// process's pool must not cost it its work. It is kept from one beat to the next; one that was lost, or says nothing for half
/// the time between two beats, is given up and another is made, so that there are several tries in a lease's life.
/// </summary>
internal sealed class LeaseConnection
{
    private const int LeastSecondsToConnect = 5;

    private readonly NpgsqlConnection _template;

    public LeaseConnection(NpgsqlDataSource dataSource, IOptions<JobsOptions> options)
    {
        var patience = options.Value.Lease / LeaseHeartbeat.BeatsPerLease / 2;
        // In whole seconds; 0 would be for ever.
        int seconds = Math.Max(1, (int)patience.TotalSeconds);
        _template = JobsDataSource.CreateVariant(
            dataSource,
            settings =>
            {
                settings.Pooling = true;
                settings.MinPoolSize = 0;
                settings.MaxPoolSize = 1;
                // To connect anew may take its time on a machine that is busy: to begin again would not hasten it.
                settings.Timeout = Math.Max(LeastSecondsToConnect, seconds);
                settings.CommandTimeout = seconds;
                // Not to be asked to cancel first: a server that is cut off would not hear it.
                settings.CancellationTimeout = -1;
            }
        );
    }

    /// <summary>The connection, to be disposed after use.</summary>
    public Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        JobsDataSource.OpenAsync((NpgsqlConnection)((ICloneable)_template).Clone(), cancellationToken);
}
