using System.Diagnostics;
using Npgsql;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Submission;

/// <summary>
/// One submit on its way into the database. Shards are sent in batches, each in one round trip and one transaction, so that a
/// slow sender holds neither a connection nor a snapshot. Once the request's idempotency key has led to an earlier job,
/// nothing is stored any more and the lines are only digested, to be compared.
/// </summary>
internal sealed class JobUpload : IAsyncDisposable
{
    private readonly NpgsqlDataSource _dataSource;
    private readonly JobRequest _request;
    private readonly TimeSpan _retention;
    private readonly Guid _id;
    private readonly List<CutShard> _pending = [];
    private readonly string? _traceParent;
    private long _lines;
    private int _shards;
    private Guid? _earlier;
    private bool _receiving;

    public JobUpload(NpgsqlDataSource dataSource, JobRequest request, TimeSpan retention, TimeProvider time)
    {
        _dataSource = dataSource;
        _request = request;
        _retention = retention;
        _id = Guid.CreateVersion7(time.GetUtcNow());
        // Only what is recorded: the trace of a request that nobody collects would lead nowhere.
        _traceParent = Activity.Current is { Recorded: true } span ? span.Id : null;
        Digest = request.IdempotencyKey is null ? null : new RequestDigest(request);
    }

    /// <summary>What tells equal requests; null without an idempotency key.</summary>
    public RequestDigest? Digest { get; }

    /// <summary>Whether an earlier job of the same idempotency key was found.</summary>
    public bool IsRepeat => _earlier is not null;

    /// <summary>Whether the request's API key has limits that hold when the job is stored.</summary>
    public bool IsLimited { get; set; }

    /// <summary>Bytes of input so far.</summary>
    public long Bytes { get; set; }

    /// <summary>Bytes of shards that wait to be sent.</summary>
    public int PendingBytes { get; private set; }

    /// <summary>Finds the earlier job of the request's idempotency key.</summary>
    /// <exception cref="SubmissionException">A submit with this key is under way.</exception>
    public async Task LookUpKeyAsync(CancellationToken cancellationToken)
    {
        if (_request.IdempotencyKey is null)
        {
            return;
        }

        await using var batch = _dataSource.CreateBatch();
        foreach (string sql in (ReadOnlySpan<string>)[UploadQueries.ReleaseKey, UploadQueries.FindKey])
        {
            Append(batch, sql, _request.IdempotencyKey)
                .Parameters.Add(new NpgsqlParameter<Guid?> { TypedValue = _request.ApiKeyId });
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetBoolean(1))
            {
                throw new SubmissionException(
                    SubmissionCodes.IdempotencyKeyInFlight,
                    "idempotency_key",
                    "A submit with this idempotency key is still sending its lines."
                );
            }

            _earlier = reader.GetGuid(0);
        }
    }

    public void Add(CutShard? shard)
    {
        if (shard is null)
        {
            return;
        }

        _lines += shard.Lines;
        _shards++;
        if (_earlier is null)
        {
            _pending.Add(shard);
            PendingBytes += shard.Input.Length;
        }
    }

    /// <summary>Sends the shards that wait, and a sign of life.</summary>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        if (_earlier is not null || (!_receiving && _pending.Count == 0))
        {
            return;
        }

        await using var batch = new NpgsqlBatch();
        if (_receiving)
        {
            Append(batch, UploadQueries.Touch, _id);
        }
        else
        {
            AppendJob(batch, JobState.Receiving, digest: null);
        }

        AppendShards(batch);
        bool stored = await ExecuteAsync(batch, cancellationToken) is not null;
        if (!stored && _receiving)
        {
            throw Vanished();
        }

        if (!stored)
        {
            await LookUpKeyAsync(cancellationToken);
        }

        _receiving = stored;
        Sent();
    }

    /// <summary>Sends the rest and opens the job to workers; or compares the request with the earlier one.</summary>
    public async Task<SubmittedJob> CompleteAsync(CancellationToken cancellationToken)
    {
        if (_lines == 0)
        {
            throw new SubmissionException(SubmissionCodes.InputEmpty, "input", "The input has no lines.");
        }

        byte[]? digest = Digest?.Finish();
        while (_earlier is null)
        {
            await using var batch = new NpgsqlBatch();
            if (_receiving)
            {
                AppendOpening(batch, digest);
            }
            else
            {
                AppendJob(batch, JobState.Queued, digest);
            }

            AppendShards(batch);
            if (_request.ApiKeyId is not null)
            {
                Append(batch, ApiKeyQueries.AddUsage, _id);
            }

            Append(batch, UploadQueries.Notify, _id, NotificationChannels.Waiting);
            if (await ExecuteAsync(batch, cancellationToken) is { } job)
            {
                _receiving = false;
                Sent();
                return new SubmittedJob(job, Created: true);
            }

            if (_receiving)
            {
                throw Vanished();
            }

            // Another submit with the key was faster. Should its job be gone by now, this one is stored after all.
            await LookUpKeyAsync(cancellationToken);
        }

        return new SubmittedJob(await FindEarlierAsync(_earlier.Value, digest!, cancellationToken), Created: false);
    }

    public async ValueTask DisposeAsync()
    {
        Digest?.Dispose();
        if (!_receiving)
        {
            return;
        }

        try
        {
            await using var command = _dataSource.CreateCommand(UploadQueries.Discard);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = _id });
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // What broke the submit goes on to the caller; the job expires as abandoned.
        }
    }

    private async Task<Job> FindEarlierAsync(Guid id, byte[] digest, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(UploadQueries.FindEarlier);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = digest });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? JobRow.Read(reader)
            : throw new SubmissionException(
                SubmissionCodes.IdempotencyKeyReused,
                "idempotency_key",
                "This idempotency key came with another request or other lines before."
            );
    }

    private void AppendJob(NpgsqlBatch batch, JobState state, byte[]? digest)
    {
        var command = Append(batch, UploadQueries.Insert, _id, StateNames.Of(state), _request.Model, _retention);
        command.Parameters.Add(new NpgsqlParameter { Value = (short)_request.Priority });
        command.Parameters.Add(new NpgsqlParameter { Value = GenerationParametersJson.Write(_request.Parameters) });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = _request.Name });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = _request.IdempotencyKey });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = _request.Webhook?.Url });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = _request.Webhook?.Secret });
        command.Parameters.Add(new NpgsqlParameter<Guid?> { TypedValue = _request.ApiKeyId });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = _request.StartAt?.ToUniversalTime() }
        );
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = _request.Deadline?.ToUniversalTime() }
        );
        AppendTotals(command, digest);
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = _traceParent });
    }

    private void AppendOpening(NpgsqlBatch batch, byte[]? digest) =>
        AppendTotals(Append(batch, UploadQueries.Open, _id), digest);

    private void AppendTotals(NpgsqlBatchCommand command, byte[]? digest)
    {
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _lines });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Bytes });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = _shards });
        command.Parameters.Add(new NpgsqlParameter<byte[]?> { TypedValue = digest });
    }

    private void AppendShards(NpgsqlBatch batch) =>
        Append(
            batch,
            UploadQueries.AddShards,
            _id,
            _pending.Select(shard => shard.FirstLine).ToArray(),
            _pending.Select(shard => shard.Lines).ToArray(),
            _pending.Select(shard => shard.Input).ToArray()
        );

    private static NpgsqlBatchCommand Append(NpgsqlBatch batch, string sql, params ReadOnlySpan<object> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (object parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        batch.BatchCommands.Add(command);
        return command;
    }

    // A batch is one transaction by itself, and a part of one where limits are checked before it.
    private async Task<Job?> ExecuteAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        await using var connection = await _dataSource.OpenConnectionAsync(cancellationToken);
        batch.Connection = connection;
        if (_request.ApiKeyId is not { } key || !IsLimited)
        {
            return await StoreAsync(batch, cancellationToken);
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await KeyUsage.CheckStoredAsync(connection, key, _id, _lines, Bytes, cancellationToken);
        var job = await StoreAsync(batch, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return job;
    }

    // The first statement of each batch returns the job, or no row when it may not be written to; then the others do nothing.
    private static async Task<Job?> StoreAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var job = await reader.ReadAsync(cancellationToken) ? JobRow.Read(reader) : null;
        // To the end: an error of a later statement shows only there.
        while (await reader.NextResultAsync(cancellationToken)) { }

        return job;
    }

    private void Sent()
    {
        _pending.Clear();
        PendingBytes = 0;
    }

    private static SubmissionException Vanished() =>
        new(
            SubmissionCodes.JobCancelled,
            "input",
            "The job was cancelled, or given up as abandoned, while its lines arrived."
        );
}
