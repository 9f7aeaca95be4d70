using System.Globalization;
using Npgsql;

namespace Seq2Seq.Jobs.Keys;

/// <summary>
/// Holds an API key's submits against its limits: when a submit begins, and while its lines arrive. Submits that run at once
/// are checked apart, so together they may go over by what they bring themselves.
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
        var usage = await ReadAsync(keyId, cancellationToken);
        if (usage.UnfinishedJobs >= usage.Limits.UnfinishedJobs)
        {
            throw new LimitExceededException(
                LimitCodes.UnfinishedJobs,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The API key has {usage.UnfinishedJobs} jobs that have not ended; its limit is {usage.Limits.UnfinishedJobs}."
                ),
                _untilAJobMayHaveEnded
            );
        }

        var allowance = new KeyAllowance(usage.Limits, usage.Lines, usage.Bytes, usage.UntilRoom);
        allowance.Check(lines: 1, bytes: 1);
        if (usage.Limits.SubmitsPerMinute is { } rate)
        {
            await CountSubmitAsync(keyId, rate, cancellationToken);
        }

        return allowance;
    }

    private async Task CountSubmitAsync(Guid keyId, int submitsPerMinute, CancellationToken cancellationToken)
    {
        var interval = TimeSpan.FromMinutes(1) / submitsPerMinute;
        if (await ScalarAsync(ApiKeyQueries.CountSubmit, keyId, interval, cancellationToken) is not null)
        {
            return;
        }

        object? wait = await ScalarAsync(ApiKeyQueries.UntilNextSubmit, keyId, interval, cancellationToken);
        throw new LimitExceededException(
            LimitCodes.SubmitsPerMinute,
            string.Create(CultureInfo.InvariantCulture, $"The API key may submit {submitsPerMinute} times a minute."),
            wait is TimeSpan left && left > TimeSpan.Zero ? left : TimeSpan.Zero
        );
    }

    private async Task<Used> ReadAsync(Guid keyId, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(ApiKeyQueries.Usage);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = keyId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? Read(reader)
            : throw new InvalidOperationException($"There is no API key {keyId}.");
    }

    private static Used Read(NpgsqlDataReader row) =>
        new(
            new KeyLimits
            {
                UnfinishedJobs = row.IsDBNull(0) ? null : row.GetInt32(0),
                SubmitsPerMinute = row.IsDBNull(1) ? null : row.GetInt32(1),
                LinesPerDay = row.IsDBNull(2) ? null : row.GetInt64(2),
                BytesPerDay = row.IsDBNull(3) ? null : row.GetInt64(3),
            },
            row.GetInt64(4),
            row.GetInt64(5),
            row.GetInt64(6),
            row.IsDBNull(7) ? TimeSpan.FromHours(1) : row.GetTimeSpan(7)
        );

    private async Task<object?> ScalarAsync(
        string sql,
        Guid keyId,
        TimeSpan interval,
        CancellationToken cancellationToken
    )
    {
        await using var command = dataSource.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = keyId });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = interval });
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private sealed record Used(KeyLimits Limits, long UnfinishedJobs, long Lines, long Bytes, TimeSpan UntilRoom);
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
