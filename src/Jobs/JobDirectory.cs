using Npgsql;
using NpgsqlTypes;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Storage;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Webhooks;

namespace Seq2Seq.Jobs;

/// <summary>Finds and lists jobs, and changes their course: cancel, pause, resume, retry, priority. A job whose retention has passed is gone, even before its rows are deleted.</summary>
public sealed class JobDirectory
{
    // Notifications hasten; they are not relied on.
    private static readonly TimeSpan _lookAgain = TimeSpan.FromSeconds(5);

    private readonly NpgsqlDataSource _dataSource;
    private readonly JobEndings _endings;
    private readonly FailedLines _retry;
    private readonly TimeProvider _time;

    internal JobDirectory(NpgsqlDataSource dataSource, JobEndings endings, TimeProvider time)
    {
        _dataSource = dataSource;
        _endings = endings;
        _retry = new FailedLines(dataSource);
        _time = time;
    }

    public async Task<Job?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(DirectoryQueries.Find);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? JobRow.Read(reader) : null;
    }

    /// <summary>Newest first; <see cref="JobFilter.Before"/> continues after the last one seen.</summary>
    public async Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        await using var command = _dataSource.CreateCommand(DirectoryQueries.List);
        AddOptional(command, NpgsqlDbType.Text, filter.State is { } state ? StateNames.Of(state) : null);
        AddOptional(command, NpgsqlDbType.Text, filter.Model);
        AddOptional(command, NpgsqlDbType.Text, filter.Search is null ? null : EscapePattern(filter.Search));
        AddOptional(command, NpgsqlDbType.Uuid, filter.Before);
        AddOptional(command, NpgsqlDbType.Uuid, filter.ApiKeyId);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = filter.Limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<Job> jobs = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            jobs.Add(JobRow.Read(reader));
        }

        return jobs;
    }

    /// <summary>A page of a job's shards in input order.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="limit">Most shards in the page.</param>
    /// <param name="afterFirstLine">First line of the last shard seen; −1 for the first page.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    public async Task<IReadOnlyList<ShardStatus>> ListShardsAsync(
        Guid jobId,
        int limit,
        long afterFirstLine,
        CancellationToken cancellationToken
    )
    {
        await using var command = _dataSource.CreateCommand(DirectoryQueries.ListShards);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = afterFirstLine });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<ShardStatus> shards = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            shards.Add(ReadShard(reader));
        }

        return shards;
    }

    /// <summary>
    /// Lines a second, by job: what one that goes on has done lately, what one that has ended did on average. Only the time in
    /// which shards were at work counts. Jobs that stand still, or have nothing done, are not among them.
    /// </summary>
    public async Task<IReadOnlyDictionary<Guid, double>> ListRatesAsync(
        IEnumerable<Job> jobs,
        CancellationToken cancellationToken
    )
    {
        await using var command = _dataSource.CreateCommand(DirectoryQueries.ListRates);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. jobs.Select(job => job.Id)] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<Guid, double> rates = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            rates.Add(reader.GetGuid(0), reader.GetDouble(1));
        }

        return rates;
    }

    /// <summary>The loads that served a job's results, with their reports.</summary>
    public async Task<IReadOnlyList<ServingLoad>> ListLoadsAsync(Guid jobId, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(DirectoryQueries.ListLoads);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<ServingLoad> loads = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            loads.Add(
                new ServingLoad(
                    reader.GetInt64(0),
                    reader.GetString(1),
                    reader.GetString(2),
                    reader.GetString(3),
                    LoadReportJson.Read(reader.GetString(4)),
                    reader.GetInt64(5)
                )
            );
        }

        return loads;
    }

    /// <summary>What became of a job's webhooks, oldest first: one for each time that it has ended.</summary>
    public async Task<IReadOnlyList<WebhookStatus>> ListWebhooksAsync(Guid jobId, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(DirectoryQueries.ListWebhooks);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<WebhookStatus> webhooks = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            webhooks.Add(ReadWebhook(reader));
        }

        return webhooks;
    }

    /// <summary>Cancels a job that has not finished; results that are there are kept. Cancelling twice equals once.</summary>
    /// <returns>The job as it is afterwards; null when there is none of that id.</returns>
    public async Task<Job?> CancelAsync(Guid id, CancellationToken cancellationToken)
    {
        await JobEnding.EndAsync(_dataSource, id, JobState.Cancelled, code: null, message: null, cancellationToken);
        return await FindAsync(id, cancellationToken);
    }

    /// <summary>
    /// Pauses a job that is queued or running: none of its shards is begun any more, those that run go on to their end. Pausing
    /// twice equals once.
    /// </summary>
    /// <returns>The job as it is afterwards; null when there is none of that id.</returns>
    /// <exception cref="JobStateException">The job is receiving, or has ended.</exception>
    public async Task<Job?> PauseAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var batch = _dataSource.CreateBatch();
        Append(batch, DirectoryQueries.Pause, id);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(FeedQueries.Lock));
        Append(batch, DirectoryQueries.PauseShards, id);
        return await ChangeAsync(
            batch,
            id,
            "only one that waits or runs can be paused",
            [JobState.Paused],
            cancellationToken
        );
    }

    /// <summary>Resumes a paused job; one that waits or runs stays as it is.</summary>
    /// <returns>The job as it is afterwards; null when there is none of that id.</returns>
    /// <exception cref="JobStateException">The job is receiving, or has ended.</exception>
    public async Task<Job?> ResumeAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var batch = _dataSource.CreateBatch();
        Append(batch, DirectoryQueries.Resume, id);
        return await ChangeAsync(
            batch,
            id,
            "only a paused one can be resumed",
            [JobState.Queued, JobState.Running],
            cancellationToken
        );
    }

    /// <summary>
    /// Runs a job that has ended again, as its next run, for the lines that have no output: those whose result is an error and
    /// those that were cancelled. All other results stay as they are, and until a new result is there the old one stands.
    /// </summary>
    /// <returns>The job as it is afterwards; null when there is none of that id.</returns>
    /// <exception cref="JobStateException">The job has not ended, or has nothing to run.</exception>
    /// <exception cref="Keys.LimitExceededException">Its API key has as many unfinished jobs as it may.</exception>
    public async Task<Job?> RetryAsync(Guid id, CancellationToken cancellationToken)
    {
        bool retried = await _retry.RetryAsync(id, cancellationToken);
        return await FindAsync(id, cancellationToken) is not { } job ? null
            : retried ? job
            : throw (
                job.FinishedAt is null
                    ? JobStateException.Of(job, "only one that has ended can be retried")
                    : new JobStateException("No line of the job can be run again: all others have their output.")
            );
    }

    /// <summary>Changes the priority of a job that has not finished, for every shard that was not begun.</summary>
    /// <param name="id">The job.</param>
    /// <param name="priority">0 (first) to 9 (last).</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <returns>The job as it is afterwards; null when there is none of that id.</returns>
    /// <exception cref="JobStateException">The job has ended.</exception>
    public async Task<Job?> SetPriorityAsync(Guid id, int priority, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(priority, JobRequest.FirstPriority);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(priority, JobRequest.LastPriority);
        await using var batch = _dataSource.CreateBatch();
        Append(batch, DirectoryQueries.SetPriority, id)
            .Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)priority });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(FeedQueries.Lock));
        Append(batch, DirectoryQueries.SetShardPriority, id);
        return await ChangeAsync(
            batch,
            id,
            "only one that has not ended can get another priority",
            [JobState.Receiving, JobState.Queued, JobState.Running, JobState.Paused],
            cancellationToken
        );
    }

    /// <summary>Completes when the job has finished, or when <paramref name="timeout"/> has passed.</summary>
    /// <returns>The job as it is then; null when there is none of that id.</returns>
    public async Task<Job?> WaitAsync(Guid id, TimeSpan timeout, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        while (true)
        {
            var ending = _endings.NextAsync(id);
            var job = await FindAsync(id, cancellationToken);
            var left = timeout - _time.GetElapsedTime(started);
            if (job is null or { FinishedAt: not null } || left <= TimeSpan.Zero)
            {
                return job;
            }

            var pause = left < _lookAgain ? left : _lookAgain;
            await ending
                .WaitAsync(pause, _time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    // The first statement gives a row when it has changed the job. One that stands as it should does not need to.
    private async Task<Job?> ChangeAsync(
        NpgsqlBatch batch,
        Guid id,
        string what,
        JobState[] already,
        CancellationToken cancellationToken
    )
    {
        bool changed;
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            changed = await reader.ReadAsync(cancellationToken);
            // To the end: an error of a later statement shows only there.
            while (await reader.NextResultAsync(cancellationToken)) { }
        }

        return await FindAsync(id, cancellationToken) is not { } job ? null
            : changed || already.Contains(job.State) ? job
            : throw JobStateException.Of(job, what);
    }

    private static ShardStatus ReadShard(NpgsqlDataReader reader) =>
        new()
        {
            Id = reader.GetInt64(0),
            FirstLine = reader.GetInt64(1),
            Lines = reader.GetInt32(2),
            State = reader.GetString(3),
            Attempts = reader.GetInt32(4),
            Worker = reader.IsDBNull(5) ? null : reader.GetString(5),
            Slot = reader.IsDBNull(6) ? null : reader.GetString(6),
            StartedAt = JobRow.ReadTime(reader, 7),
            FinishedAt = JobRow.ReadTime(reader, 8),
            LeaseUntil = JobRow.ReadTime(reader, 9),
            ErrorCode = reader.IsDBNull(10) ? null : reader.GetString(10),
            ErrorMessage = reader.IsDBNull(11) ? null : reader.GetString(11),
        };

    private static WebhookStatus ReadWebhook(NpgsqlDataReader reader) =>
        new()
        {
            Id = reader.GetGuid(0),
            Type = reader.GetString(1),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(2),
            Attempts = reader.GetInt32(3),
            DueAt = JobRow.ReadTime(reader, 4),
            DeliveredAt = JobRow.ReadTime(reader, 5),
            Status = reader.IsDBNull(6) ? null : reader.GetInt32(6),
            Error = reader.IsDBNull(7) ? null : reader.GetString(7),
        };

    private static NpgsqlBatchCommand Append(NpgsqlBatch batch, string sql, Guid jobId)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        batch.BatchCommands.Add(command);
        return command;
    }

    private static void AddOptional(NpgsqlCommand command, NpgsqlDbType type, object? value) =>
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value ?? DBNull.Value });

    private static string EscapePattern(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("%", "\\%", StringComparison.Ordinal)
            .Replace("_", "\\_", StringComparison.Ordinal);
}

/// <summary>Which jobs to list; what is null does not restrict.</summary>
public sealed record JobFilter
{
    public JobState? State { get; init; }
    public string? Model { get; init; }

    /// <summary>Part of a name, or the beginning of an id.</summary>
    public string? Search { get; init; }

    /// <summary>Only jobs that this API key has submitted.</summary>
    public Guid? ApiKeyId { get; init; }

    /// <summary>Only jobs listed after this one.</summary>
    public Guid? Before { get; init; }
    public int Limit { get; init; } = 50;
}
