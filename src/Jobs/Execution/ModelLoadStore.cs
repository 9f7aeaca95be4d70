using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs.Leasing;

namespace Seq2Seq.Jobs.Execution;

/// <summary>Keeps every load's report. Waits for PostgreSQL when it is away: a model in memory is not given up for that.</summary>
internal sealed partial class ModelLoadStore(
    NpgsqlDataSource dataSource,
    WorkerIdentity worker,
    TimeProvider time,
    ILogger<ModelLoadStore> logger
)
{
    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);

    private const string Add = """
        INSERT INTO model_load (model, served_by, worker_id, slot, outcome, report)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id
        """;

    /// <returns>The load's id.</returns>
    public async Task<long> AddAsync(
        LoadReport report,
        string servedBy,
        string slot,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            try
            {
                return await TryAddAsync(report, servedBy, slot, cancellationToken);
            }
            catch (NpgsqlException exception) when (exception.IsTransient)
            {
                LogWaiting(logger, report.Model, exception);
                await Task.Delay(_retryDelay, time, cancellationToken);
            }
        }
    }

    private async Task<long> TryAddAsync(
        LoadReport report,
        string servedBy,
        string slot,
        CancellationToken cancellationToken
    )
    {
        await using var command = dataSource.CreateCommand(Add);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = report.Model });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = servedBy });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Id });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = slot });
        command.Parameters.Add(
            new NpgsqlParameter<string> { TypedValue = report.Outcome == LoadOutcome.Loaded ? "loaded" : "refused" }
        );
        command.Parameters.Add(
            new NpgsqlParameter<string> { TypedValue = LoadReportJson.Write(report), NpgsqlDbType = NpgsqlDbType.Jsonb }
        );
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    [LoggerMessage(2032, LogLevel.Warning, "The load report of model {Model} could not be written; trying again")]
    private static partial void LogWaiting(ILogger logger, string model, Exception exception);
}
