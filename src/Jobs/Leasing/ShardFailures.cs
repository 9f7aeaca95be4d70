using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Sharding;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>
/// What becomes of a shard whose run failed or whose worker died: it waits and is tried again, each time longer; after its
/// attempts it is split, and its halves go on alone; a single line that has used its attempts is given up as
/// <see cref="LineErrorCodes.Poison"/>, and the job goes on. A half gets one attempt before it is split again, so that the line
/// at fault is found in as many rounds as the shard has halvings.
/// </summary>
internal sealed class ShardFailures(NpgsqlDataSource dataSource, IOptions<JobsOptions> options)
{
    private const string Find = """
        SELECT attempts, lines, input FROM shard
        WHERE id = $1 AND lease = $2 AND (NOT $3 OR lease_until < clock_timestamp())
        FOR UPDATE
        """;

    private const string Retry = """
        UPDATE shard
        SET state = 'waiting', lease = NULL, lease_until = NULL, not_before = clock_timestamp() + $2,
            error_code = $3, error_message = $4
        WHERE id = $1
        """;

    private const string Shorten = """
        UPDATE shard
        SET state = 'waiting', lease = NULL, lease_until = NULL, attempts = $2, lines = $3, input = $4,
            error_code = $5, error_message = $6, answered = $7
        WHERE id = $1
        """;

    private const string InsertRest = """
        INSERT INTO shard (job_id, first_line, lines, attempts, answered, priority, model, input, error_code, error_message)
        SELECT job_id, first_line + lines, $2, $3, $5, priority, model, $4, error_code, error_message FROM shard WHERE id = $1
        """;

    private const string CountRest = "UPDATE job SET shards = shards + 1 WHERE id = $1";

    /// <param name="jobId">The job.</param>
    /// <param name="shardId">The shard.</param>
    /// <param name="token">The lease under which it failed.</param>
    /// <param name="code">Code of the failure.</param>
    /// <param name="message">What happened; without any of the lines' text.</param>
    /// <param name="onlyExpired">Whether the lease must have run out.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<FailureOutcome> FailAsync(
        Guid jobId,
        long shardId,
        Guid token,
        string code,
        string message,
        bool onlyExpired,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, ShardCompletion.LockJob, cancellationToken, Value(jobId));
        var shard = await FindAsync(connection, shardId, token, onlyExpired, cancellationToken);
        if (shard is null)
        {
            return FailureOutcome.NotOurs;
        }

        FailureOutcome outcome;
        if (shard.Attempts < options.Value.MaxAttempts)
        {
            // Doubles each time; the cap keeps a generous number of attempts from overflowing.
            var delay = options.Value.RetryDelay * Math.Pow(2, Math.Min(shard.Attempts - 1, 10));
            await ExecuteAsync(
                connection,
                Retry,
                cancellationToken,
                Value(shardId),
                Value(delay),
                Value(code),
                Value(message)
            );
            outcome = FailureOutcome.Retried;
        }
        else if (shard.Lines > 1)
        {
            await SplitAsync(connection, jobId, shardId, shard, code, message, cancellationToken);
            outcome = FailureOutcome.Split;
        }
        else
        {
            await GiveUpAsync(connection, jobId, shardId, token, shard, code, message, cancellationToken);
            outcome = FailureOutcome.GivenUp;
        }

        await transaction.CommitAsync(cancellationToken);
        return outcome;
    }

    private static async Task<FailedShard?> FindAsync(
        NpgsqlConnection connection,
        long shardId,
        Guid token,
        bool onlyExpired,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Find, connection);
        command.Parameters.Add(Value(shardId));
        command.Parameters.Add(Value(token));
        command.Parameters.Add(Value(onlyExpired));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    private static FailedShard Read(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetInt32(1), row.GetFieldValue<byte[]>(2));

    private async Task SplitAsync(
        NpgsqlConnection connection,
        Guid jobId,
        long shardId,
        FailedShard shard,
        string code,
        string message,
        CancellationToken cancellationToken
    )
    {
        int kept = shard.Lines / 2;
        int rest = shard.Lines - kept;
        var (keptInput, restInput) = ShardInput.SplitAfter(shard.Input, kept);
        await ExecuteAsync(
            connection,
            Shorten,
            cancellationToken,
            Value(shardId),
            Value(AttemptsUsed(kept)),
            Value(kept),
            Value(keptInput.ToArray()),
            Value(code),
            Value(message),
            Value(CountAnswered(keptInput))
        );
        await ExecuteAsync(
            connection,
            InsertRest,
            cancellationToken,
            Value(shardId),
            Value(rest),
            Value(AttemptsUsed(rest)),
            Value(restInput.ToArray()),
            Value(CountAnswered(restInput))
        );
        await ExecuteAsync(connection, CountRest, cancellationToken, Value(jobId));
    }

    private static int CountAnswered(ReadOnlyMemory<byte> input) =>
        ShardInput.Read(input).Count(line => line.Answer is not null);

    private int AttemptsUsed(int lines) => lines > 1 ? options.Value.MaxAttempts - 1 : 0;

    private static async Task GiveUpAsync(
        NpgsqlConnection connection,
        Guid jobId,
        long shardId,
        Guid token,
        FailedShard shard,
        string code,
        string message,
        CancellationToken cancellationToken
    )
    {
        string reason = string.Create(
            CultureInfo.InvariantCulture,
            $"The line failed alone in {shard.Attempts} attempts, the last time with {code}: {message}"
        );
        string? customId = ShardInput.Read(shard.Input)[0].CustomId;
        var output = new ArrayBufferWriter<byte>();
        ShardOutput.Append(output, customId, SequenceResult.Failed(LineErrorCodes.Poison, reason));
        var outcome = new ShardOutcome
        {
            Output = output.WrittenMemory,
            Failed = 1,
            LoadId = null,
            ErrorCode = code,
            ErrorMessage = message,
        };
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(ShardCompletion.Command(jobId, shardId, token, outcome));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private sealed record FailedShard(int Attempts, int Lines, byte[] Input);
}

/// <summary>What became of a shard that failed.</summary>
internal enum FailureOutcome
{
    /// <summary>The lease is gone: nothing was changed.</summary>
    NotOurs,

    /// <summary>It waits for its next attempt.</summary>
    Retried,

    /// <summary>It and its other half wait.</summary>
    Split,

    /// <summary>Its only line has an error for a result.</summary>
    GivenUp,
}
