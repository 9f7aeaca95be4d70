using Microsoft.Extensions.Logging;
using Npgsql;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>
/// Takes shards away from workers that gave no sign of life for a lease's time. Any worker does it, and a shard that several
/// see at once is taken once. The attempt counts: the shard may be what killed its worker.
/// </summary>
internal sealed partial class ShardRescue(
    NpgsqlDataSource dataSource,
    ShardFailures failures,
    ILogger<ShardRescue> logger
)
{
    /// <summary>Code of a shard whose worker died.</summary>
    public const string Code = "worker_lost";

    private const string Expired = """
        SELECT job_id, id, lease, worker FROM shard
        WHERE state = 'running' AND lease_until < clock_timestamp()
        ORDER BY lease_until
        LIMIT 100
        """;

    /// <returns>How many shards wait again.</returns>
    public async Task<int> RescueAsync(CancellationToken cancellationToken)
    {
        List<(Guid Job, long Shard, Guid Lease, string Worker)> expired = [];
        await using (var command = dataSource.CreateCommand(Expired))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                expired.Add((reader.GetGuid(0), reader.GetInt64(1), reader.GetGuid(2), reader.GetString(3)));
            }
        }

        int rescued = 0;
        foreach (var (job, shard, lease, worker) in expired)
        {
            string message = $"Worker '{worker}' gave no sign of life.";
            var outcome = await failures.FailAsync(
                job,
                shard,
                lease,
                Code,
                message,
                onlyExpired: true,
                cancellationToken
            );
            if (outcome != FailureOutcome.NotOurs)
            {
                rescued++;
                LogRescued(logger, shard, job, worker, outcome);
            }
        }

        return rescued;
    }

    [LoggerMessage(
        2050,
        LogLevel.Warning,
        "Shard {Shard} of job {Job} was taken from worker {Worker}, which gave no sign of life: {Outcome}"
    )]
    private static partial void LogRescued(ILogger logger, long shard, Guid job, string worker, FailureOutcome outcome);
}
