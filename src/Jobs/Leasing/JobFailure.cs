using Npgsql;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>Fails a job as a whole: its caller must change it, or its deadline has passed. Results that are there are kept.</summary>
internal sealed class JobFailure(NpgsqlDataSource dataSource)
{
    /// <summary>Code of a job whose generation parameters its model refuses.</summary>
    public const string ParametersCode = "parameter_invalid";

    /// <summary>Code of a job that had not finished by its deadline.</summary>
    public const string DeadlineCode = "deadline_exceeded";

    // One at a time, by the lock order.
    private const string Late = """
        SELECT id, deadline FROM job
        WHERE deadline <= clock_timestamp() AND state IN ('receiving', 'queued', 'running', 'paused')
        ORDER BY deadline
        LIMIT 100
        """;

    /// <summary>Fails the jobs whose deadline has passed.</summary>
    /// <returns>How many.</returns>
    public async Task<int> FailLateAsync(CancellationToken cancellationToken)
    {
        List<(Guid Id, DateTimeOffset Deadline)> late = [];
        await using (var command = dataSource.CreateCommand(Late))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                late.Add((reader.GetGuid(0), ReadTime(reader)));
            }
        }

        foreach (var (id, deadline) in late)
        {
            string message =
                $"The job had not finished by its deadline, {deadline:O}; the results that are there are kept.";
            await FailAsync(id, DeadlineCode, message, cancellationToken);
        }

        return late.Count;
    }

    private static DateTimeOffset ReadTime(NpgsqlDataReader row) => row.GetFieldValue<DateTimeOffset>(1);

    public Task FailAsync(Guid jobId, string code, string message, CancellationToken cancellationToken) =>
        JobEnding.EndAsync(dataSource, jobId, JobState.Failed, code, message, cancellationToken);
}
