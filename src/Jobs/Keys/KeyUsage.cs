using System.Globalization;
using Npgsql;

namespace Seq2Seq.Jobs.Keys;

/// <summary>
/// Holds an API key's submits against its limits: when a submit begins and while its lines arrive, so that what goes over is refused
/// early; and when it is stored, one submit after the other, so that those that run at once don't go over together.
/// </summary>
internal sealed class KeyUsage(NpgsqlDataSource dataSource)
{
    // Nobody knows when a job will end; this long a caller may wait before asking again.
    private static readonly TimeSpan _untilAJobMayHaveEnded = TimeSpan.FromSeconds(10);

    /// <summary>Counts a submit against the key's rate.</summary>
    /// <returns>What the submit may bring.</returns>
    /// <exception cref="LimitExceededException">A limit is reached.</exception>
    public async Task<KeyAllowance> BeginAsync(Guid keyId, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var allowance = await ReadAsync(connection, keyId, job: Guid.Empty, cancellationToken);
        allowance.Check(lines: 1, bytes: 1);
        if (allowance.Limits.SubmitsPerMinute is { } rate)
        {
            await CountSubmitAsync(connection, keyId, rate, cancellationToken);
        }

        return allowance;
    }

    /// <summary>
    /// Checks what a submit stores in the transaction that stores it. Others of the same key wait until that has ended, and see what it
    /// brought.
    /// </summary>
    /// <param name="connection">In that transaction. What of jobs it has locked nobody waits for who holds the key's lock.</param>
    /// <param name="keyId">The API key.</param>
    /// <param name="job">The job that is stored.</param>
    /// <param name="lines">Its lines so far.</param>
    /// <param name="bytes">Its bytes so far.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="LimitExceededException">A limit is exceeded.</exception>
    public static async Task CheckStoredAsync(
        NpgsqlConnection connection,
        Guid keyId,
        Guid job,
        long lines,
        long bytes,
        CancellationToken cancellationToken
    )
    {
        // A statement of its own, so that the next one sees what was stored while the lock was waited for.
        await using (var command = new NpgsqlCommand(ApiKeyQueries.Lock, connection))
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = keyId });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        var allowance = await ReadAsync(connection, keyId, job, cancellationToken);
        allowance.Check(lines, bytes);
    }

    private static async Task CountSubmitAsync(
        NpgsqlConnection connection,
        Guid keyId,
        int submitsPerMinute,
        CancellationToken cancellationToken
    )
    {
        var interval = TimeSpan.FromMinutes(1) / submitsPerMinute;
        if (await ScalarAsync(connection, ApiKeyQueries.CountSubmit, keyId, interval, cancellationToken) is not null)
        {
            return;
        }

        object? wait = await ScalarAsync(connection, ApiKeyQueries.UntilNextSubmit, keyId, interval, cancellationToken);
        throw new LimitExceededException(
            LimitCodes.SubmitsPerMinute,
            string.Create(CultureInfo.InvariantCulture, $"The API key may submit {submitsPerMinute} times a minute."),
            wait is TimeSpan left && left > TimeSpan.Zero ? left : TimeSpan.Zero
        );
    }

    private static async Task<KeyAllowance> ReadAsync(
        NpgsqlConnection connection,
        Guid keyId,
        Guid job,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(ApiKeyQueries.Usage, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = keyId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = job });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? Read(reader)
            : throw new InvalidOperationException($"There is no API key {keyId}.");
    }

    private static KeyAllowance Read(NpgsqlDataReader row)
    {
        var limits = new KeyLimits
        {
            UnfinishedJobs = row.IsDBNull(0) ? null : row.GetInt32(0),
            SubmitsPerMinute = row.IsDBNull(1) ? null : row.GetInt32(1),
            LinesPerDay = row.IsDBNull(2) ? null : row.GetInt64(2),
            BytesPerDay = row.IsDBNull(3) ? null : row.GetInt64(3),
        };
        long unfinished = row.GetInt64(4);
        return unfinished < (limits.UnfinishedJobs ?? long.MaxValue)
            ? new KeyAllowance(
                limits,
                row.GetInt64(5),
                row.GetInt64(6),
                row.IsDBNull(7) ? TimeSpan.FromHours(1) : row.GetTimeSpan(7)
            )
            : throw new LimitExceededException(
                LimitCodes.UnfinishedJobs,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The API key has {unfinished} jobs that have not ended; its limit is {limits.UnfinishedJobs}."
                ),
                _untilAJobMayHaveEnded
            );
    }

    private static async Task<object?> ScalarAsync(
        NpgsqlConnection connection,
        string sql,
        Guid keyId,
        TimeSpan interval,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = keyId });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = interval });
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}

/// <summary>What one submit may bring.</summary>
/// <param name="Limits">The key's limits.</param>
/// <param name="UsedLines">Lines of the last day.</param>
/// <param name="UsedBytes">Bytes of the last day.</param>
/// <param name="UntilRoom">When the oldest of them count no more.</param>
internal sealed record KeyAllowance(KeyLimits Limits, long UsedLines, long UsedBytes, TimeSpan UntilRoom)
{
    /// <param name="lines">Lines of the submit so far.</param>
    /// <param name="bytes">Bytes of the submit so far.</param>
    /// <exception cref="LimitExceededException">With them, a limit is exceeded.</exception>
    public void Check(long lines, long bytes)
    {
        if (UsedLines + lines > Limits.LinesPerDay)
        {
            throw Exceeded(LimitCodes.LinesPerDay, "lines", Limits.LinesPerDay.Value, UsedLines);
        }

        if (UsedBytes + bytes > Limits.BytesPerDay)
        {
            throw Exceeded(LimitCodes.BytesPerDay, "bytes", Limits.BytesPerDay.Value, UsedBytes);
        }
    }

    private LimitExceededException Exceeded(string code, string what, long limit, long used) =>
        new(
            code,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The API key may submit {limit} {what} a day and has submitted {used}; this submit goes over."
            ),
            UntilRoom
        );
}
