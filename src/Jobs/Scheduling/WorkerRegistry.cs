using System.Reflection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// What this process says of itself in <c>worker</c>, <c>slot</c> and <c>slot_model</c>. Each write says everything, so that
/// rows that were removed meanwhile (the process was stopped for long and taken for dead) come back by themselves.
/// </summary>
internal sealed partial class WorkerRegistry(
    NpgsqlDataSource dataSource,
    WorkerIdentity worker,
    LocalSlots slots,
    ILogger<WorkerRegistry> logger
) : IDisposable
{
    // Rows of the dead stay a while, so that an operator sees who died.
    private static readonly TimeSpan _keepDead = TimeSpan.FromMinutes(10);

    private static readonly string _version = typeof(WorkerRegistry)
        .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
        .InformationalVersion;

    // One write at a time: what is written last is what was so last.
    private readonly SemaphoreSlim _writing = new(1);

    private bool _isRemoved;

    private const string WriteWorker = """
        INSERT INTO worker (id, process_id, host, version, parameters) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp()
        """;

    private const string WriteSlots = """
        INSERT INTO slot (worker_id, name, device, threads, shards_at_once, state, message, lines_done, busy_seconds)
        SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (worker_id, name) DO UPDATE
        SET state = excluded.state, message = excluded.message, lines_done = excluded.lines_done,
            busy_seconds = excluded.busy_seconds
        """;

    private const string WriteModels = """
        INSERT INTO slot_model
            (worker_id, slot, model, state, load_id, lines_per_second, error_code, error_message, retry_at)
        SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (worker_id, slot, model) DO UPDATE
        SET state = excluded.state, load_id = excluded.load_id, lines_per_second = excluded.lines_per_second,
            error_code = excluded.error_code, error_message = excluded.error_message, retry_at = excluded.retry_at
        """;

    private const string Remove = "DELETE FROM worker WHERE id = $1";

    private const string RemoveDead = "DELETE FROM worker WHERE heartbeat_at < clock_timestamp() - $1";

    /// <summary>The slots as the database was last told of them.</summary>
    public IReadOnlyList<SlotReadiness> Told { get; private set; } = [.. slots.All.Select(SlotReadiness.Of)];

    /// <summary>Says how everything is, and that this process lives; nothing once its rows were taken away.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (_isRemoved)
            {
                return;
            }

            SlotReadiness[] told = [.. slots.All.Select(SlotReadiness.Of)];
            await WriteSlotsAsync(cancellationToken);
            Told = told;
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    /// <summary>Writes if it can: the next heartbeat says the same.</summary>
    public async Task TellAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(cancellationToken);
        }
        catch (NpgsqlException exception)
        {
            LogNotWritten(logger, exception);
        }
    }

    /// <summary>Takes this process's rows away, for good.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            _isRemoved = true;
            await ExecuteAsync(Remove, Value(worker.Id), cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Takes the rows of workers away that have been dead for a while.</summary>
    public Task RemoveDeadAsync(CancellationToken cancellationToken) =>
        ExecuteAsync(RemoveDead, Value(_keepDead), cancellationToken);

    private async Task WriteSlotsAsync(CancellationToken cancellationToken)
    {
        var all = slots.All;
        var models = all.SelectMany(slot =>
                slot.Models.Select(model => (Slot: slot.Plan.Name, Name: model.Key, model.Value))
            )
            .ToList();
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Durability.NotAwaited));
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(WriteWorker)
            {
                Parameters =
                {
                    Value(worker.Id),
                    Value(worker.ProcessId),
                    Value(worker.Host),
                    Value(_version),
                    Value(UnreadParameters.KnownNames),
                },
            }
        );
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(WriteSlots)
            {
                Parameters =
                {
                    Value(worker.Id),
                    Column(all, slot => slot.Plan.Name),
                    Column(all, slot => slot.Plan.Device.ToString()),
                    Column(all, slot => slot.Plan.Threads),
                    Column(all, _ => slots.ShardsPerSlot),
                    Column(all, slot => StateNames.Of(slot.State)),
                    Column(all, slot => slot.Message),
                    Column(all, slot => slot.LinesDone),
                    Column(all, slot => slot.Busy.TotalSeconds),
                },
            }
        );
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(WriteModels)
            {
                Parameters =
                {
                    Value(worker.Id),
                    Column(models, model => model.Slot),
                    Column(models, model => model.Name),
                    Column(models, model => StateNames.Of(model.Value.State)),
                    Column(models, model => model.Value.LoadId),
                    Column(models, model => model.Value.LinesPerSecond),
                    Column(models, model => model.Value.ErrorCode),
                    Column(models, model => model.Value.ErrorMessage),
                    Column(models, model => model.Value.RetryAt),
                },
            }
        );
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task ExecuteAsync(string sql, NpgsqlParameter parameter, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(sql);
        command.Parameters.Add(parameter);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private static NpgsqlParameter<TValue[]> Column<TRow, TValue>(
        IReadOnlyCollection<TRow> rows,
        Func<TRow, TValue> value
    ) => new() { TypedValue = [.. rows.Select(value)] };

    [LoggerMessage(
        2041,
        LogLevel.Warning,
        "The state of this worker's slots could not be written; the next heartbeat tries again"
    )]
    private static partial void LogNotWritten(ILogger logger, Exception exception);
}
