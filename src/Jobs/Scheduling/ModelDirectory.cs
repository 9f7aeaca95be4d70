using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tokenization;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>What the workers say of models and slots: for pages, readiness and refusing unknown models.</summary>
public sealed class ModelDirectory
{
    private const string Failed = "failed";
    private const string Loading = "loading";
    private const string Ready = "ready";

    private const string ModelsOnSlots = """
        SELECT slot_model.model, slot_model.worker_id, slot_model.slot, slot_model.state, model_load.served_by,
            model_load.report::text, slot_model.lines_per_second, slot_model.retry_at
        FROM slot_model
        JOIN worker ON worker.id = slot_model.worker_id
        LEFT JOIN model_load ON model_load.id = slot_model.load_id
        WHERE worker.heartbeat_at > clock_timestamp() - $1
        ORDER BY slot_model.model, worker.started_at, slot_model.worker_id, slot_model.slot
        """;

    private const string Shards = """
        SELECT model, count(*) FILTER (WHERE state <> 'running'), count(*) FILTER (WHERE state = 'running')
        FROM shard
        WHERE state IN ('waiting', 'queued', 'running')
        GROUP BY model
        """;

    private const string PausedModels = "SELECT model FROM model_pause";

    private const string PauseModel = "INSERT INTO model_pause (model) VALUES ($1) ON CONFLICT DO NOTHING";

    // What was queued and not begun goes back; its Hangfire jobs will find nothing to do.
    private const string PauseShards =
        "UPDATE shard SET state = 'waiting', hangfire_job_id = NULL WHERE model = $1 AND state = 'queued'";

    private const string ResumeModel = """
        WITH resumed AS (DELETE FROM model_pause WHERE model = $1 RETURNING model)
        SELECT pg_notify($2, '') FROM resumed
        """;

    private const string LiveSlots = """
        SELECT slot.worker_id, worker.host, worker.process_id, slot.name, slot.device, slot.threads, slot.state,
            slot.message, slot.lines_done, slot.busy_seconds, worker.started_at, worker.heartbeat_at,
            ARRAY(
                SELECT slot_model.model FROM slot_model
                WHERE slot_model.worker_id = slot.worker_id AND slot_model.slot = slot.name AND slot_model.state = 'ready'
                ORDER BY slot_model.model
            ),
            (
                SELECT count(*) FROM shard
                WHERE shard.state = 'running' AND shard.worker = slot.worker_id AND shard.slot = slot.name
            )
        FROM slot
        JOIN worker ON worker.id = slot.worker_id
        WHERE worker.heartbeat_at > clock_timestamp() - $1
        ORDER BY worker.started_at, slot.worker_id, slot.name
        """;

    private readonly NpgsqlDataSource _dataSource;
    private readonly JobsOptions _options;
    private readonly ModelsOptions _models;

    internal ModelDirectory(NpgsqlDataSource dataSource, IOptions<JobsOptions> options, IOptions<ModelsOptions> models)
    {
        _dataSource = dataSource;
        _options = options.Value;
        _models = models.Value;
    }

    /// <summary>Every configured model, and every model that a live worker holds, by name.</summary>
    public async Task<IReadOnlyList<ModelStatus>> ListModelsAsync(CancellationToken cancellationToken)
    {
        var slots = await ReadModelsOnSlotsAsync(cancellationToken);
        var shards = await ReadShardsAsync(cancellationToken);
        var paused = await ReadPausedAsync(cancellationToken);
        return
        [
            .. _models
                .Keys.Union(slots.Select(slot => slot.Model), StringComparer.OrdinalIgnoreCase)
                .Order(StringComparer.Ordinal)
                .Select(name =>
                {
                    List<ModelOnSlot> on = [.. slots.Where(slot => slot.Model == name).Select(slot => slot.On)];
                    var (waiting, running) = shards.GetValueOrDefault(name);
                    return new ModelStatus
                    {
                        Name = name,
                        State = State(on),
                        Slots = on,
                        ShardsWaiting = waiting,
                        ShardsRunning = running,
                        IsPaused = paused.Contains(name),
                    };
                }),
        ];
    }

    public async Task<IReadOnlyList<SlotStatus>> ListSlotsAsync(CancellationToken cancellationToken)
    {
        await using var command = Command(LiveSlots);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<SlotStatus> slots = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            slots.Add(ReadSlot(reader));
        }

        return slots;
    }

    /// <summary>Asks the workers to try a model again that they could not load.</summary>
    public async Task RetryLoadAsync(string model, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand("SELECT pg_notify($1, $2)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = NotificationChannels.Models });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = model });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Lets no shard of a model start until <see cref="ResumeAsync"/>; what runs goes on. Pausing twice equals once.</summary>
    public async Task PauseAsync(string model, CancellationToken cancellationToken)
    {
        await using var batch = _dataSource.CreateBatch();
        batch.BatchCommands.Add(Command(PauseModel));
        // A feeder may be queueing some of the shards, which would stand there unseen.
        batch.BatchCommands.Add(new NpgsqlBatchCommand(FeedQueries.Lock));
        batch.BatchCommands.Add(Command(PauseShards));
        await batch.ExecuteNonQueryAsync(cancellationToken);

        NpgsqlBatchCommand Command(string sql) =>
            new(sql) { Parameters = { new NpgsqlParameter<string> { TypedValue = model } } };
    }

    /// <summary>Ends the pause of a model's queue.</summary>
    public async Task ResumeAsync(string model, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(ResumeModel);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = model });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = NotificationChannels.Waiting });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<HashSet<string>> ReadPausedAsync(CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(PausedModels);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        HashSet<string> paused = new(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            paused.Add(reader.GetString(0));
        }

        return paused;
    }

    private static string State(List<ModelOnSlot> slots)
    {
        if (slots.Exists(slot => slot.State == Ready))
        {
            return Ready;
        }

        var wanted = slots.Where(slot => slot.State != StateNames.Of(ModelState.Elsewhere)).ToList();
        return wanted.Count > 0 && wanted.TrueForAll(slot => slot.State == Failed) ? Failed : Loading;
    }

    private async Task<List<(string Model, ModelOnSlot On)>> ReadModelsOnSlotsAsync(CancellationToken cancellationToken)
    {
        await using var command = Command(ModelsOnSlots);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<(string, ModelOnSlot)> slots = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            slots.Add((reader.GetString(0), ReadModel(reader)));
        }

        return slots;
    }

    private static ModelOnSlot ReadModel(NpgsqlDataReader row) =>
        new(
            row.GetString(1),
            row.GetString(2),
            row.GetString(3),
            row.IsDBNull(4) ? null : row.GetString(4),
            row.IsDBNull(5) ? null : LoadReportJson.Read(row.GetString(5))
        )
        {
            LinesPerSecond = row.IsDBNull(6) ? null : row.GetDouble(6),
            RetryAt = row.IsDBNull(7) ? null : row.GetFieldValue<DateTimeOffset>(7),
        };

    private static SlotStatus ReadSlot(NpgsqlDataReader row) =>
        new()
        {
            Worker = row.GetString(0),
            Host = row.GetString(1),
            ProcessId = row.GetInt32(2),
            Name = row.GetString(3),
            Device = row.GetString(4),
            Threads = row.GetInt32(5),
            State = row.GetString(6),
            Message = row.IsDBNull(7) ? null : row.GetString(7),
            LinesDone = row.GetInt64(8),
            BusySeconds = row.GetDouble(9),
            StartedAt = row.GetFieldValue<DateTimeOffset>(10),
            HeartbeatAt = row.GetFieldValue<DateTimeOffset>(11),
            Models = row.GetFieldValue<string[]>(12),
            ShardsRunning = row.GetInt64(13),
        };

    private async Task<Dictionary<string, (long Waiting, long Running)>> ReadShardsAsync(
        CancellationToken cancellationToken
    )
    {
        await using var command = _dataSource.CreateCommand(Shards);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<string, (long, long)> shards = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            shards.Add(reader.GetString(0), (reader.GetInt64(1), reader.GetInt64(2)));
        }

        return shards;
    }

    private NpgsqlCommand Command(string sql)
    {
        var command = _dataSource.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = _options.Lease });
        return command;
    }
}

/// <summary>A configured model, over all slots of all live workers.</summary>
public sealed record ModelStatus
{
    public required string Name { get; init; }

    /// <summary><c>loading</c>, <c>ready</c> (on at least one slot) or <c>failed</c> (on every slot that should hold it).</summary>
    public required string State { get; init; }

    public required IReadOnlyList<ModelOnSlot> Slots { get; init; }

    /// <summary>The languages that jobs can ask for; null until the model is ready somewhere.</summary>
    public ModelLanguages? Languages =>
        Slots.Where(slot => slot.State == "ready").Select(slot => slot.Report?.Languages).FirstOrDefault();

    /// <summary>Shards of this model that wait or run.</summary>
    public required long ShardsWaiting { get; init; }
    public required long ShardsRunning { get; init; }

    /// <summary>No shard of this model starts until it is resumed.</summary>
    public bool IsPaused { get; init; }
}

/// <param name="Worker">The worker process.</param>
/// <param name="Slot">Such as <c>cpu:0</c>.</param>
/// <param name="State"><c>loading</c>, <c>ready</c>, <c>failed</c>, or <c>elsewhere</c> (placed on another device by measurement).</param>
/// <param name="ServedBy">The model that serves: another when the policy fell back to it.</param>
/// <param name="Report">The load's report; null while loading.</param>
public sealed record ModelOnSlot(string Worker, string Slot, string State, string? ServedBy, LoadReport? Report)
{
    /// <summary>What a few batches after loading measured; null when they were not run.</summary>
    public double? LinesPerSecond { get; init; }

    /// <summary>When loading is tried again; null unless failed.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>A slot of a live worker.</summary>
public sealed record SlotStatus
{
    public required string Worker { get; init; }
    public required string Host { get; init; }
    public required int ProcessId { get; init; }
    public required string Name { get; init; }
    public required string Device { get; init; }
    public required int Threads { get; init; }
    public required string State { get; init; }
    public string? Message { get; init; }
    public required IReadOnlyList<string> Models { get; init; }
    public required long ShardsRunning { get; init; }
    public required long LinesDone { get; init; }
    public required double BusySeconds { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required DateTimeOffset HeartbeatAt { get; init; }
}
