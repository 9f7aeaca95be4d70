using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Jobs.Telemetry;

/// <summary>
/// Gauges whose values stand in our tables, so that every process tells the same and none is lost with a process. They are read when
/// somebody collects, at most once in a few seconds. While the database can't be read they are absent, and not zero.
/// </summary>
/// <remarks>Labels: models, states, hosts and slots. All are as many as the operator has configured.</remarks>
public sealed partial class TableMetrics : IDisposable
{
    private const int TimeoutSeconds = 5;

    private const string Jobs =
        "SELECT model, state, count(*), extract(epoch FROM now() - min(created_at))::float8 FROM job WHERE finished_at IS NULL GROUP BY model, state";

    private const string Ended =
        "SELECT model, state, count(*) FROM job WHERE finished_at > now() - interval '1 hour' GROUP BY model, state";

    private const string Shards = """
        SELECT model, state, count(*) FROM shard WHERE state IN ('waiting', 'queued', 'running') GROUP BY model, state
        """;

    private const string Slots = """
        SELECT worker.host, slot.name, slot.state, count(*), sum(slot.lines_done)::bigint, sum(slot.busy_seconds)
        FROM slot
        JOIN worker ON worker.id = slot.worker_id
        WHERE worker.heartbeat_at > clock_timestamp() - $1
        GROUP BY worker.host, slot.name, slot.state
        """;

    private const string Webhooks = "SELECT count(*) FROM webhook_delivery WHERE due_at IS NOT NULL";

    // One collection asks for every gauge; the next one should see anew.
    private static readonly TimeSpan _fresh = TimeSpan.FromSeconds(2);

    private readonly NpgsqlDataSource _dataSource;
    private readonly TimeSpan _lease;
    private readonly TimeProvider _time;
    private readonly ILogger<TableMetrics> _logger;
    private readonly Meter _meter = new(JobMetrics.MeterName);
    private readonly Lock _lock = new();
    private Snapshot _last = new();
    private long _readAt;

    public TableMetrics(
        NpgsqlDataSource dataSource,
        IOptions<JobsOptions> options,
        TimeProvider time,
        ILogger<TableMetrics> logger
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        _dataSource = dataSource;
        _lease = options.Value.Lease;
        _time = time;
        _logger = logger;
        Gauge("seq2seq.jobs", "{job}", "Jobs that have not ended.", now => now.Jobs);
        Gauge("seq2seq.jobs.age", "s", "Age of the oldest job that has not ended.", now => now.JobAges);
        Gauge("seq2seq.jobs.ended", "{job}", "Jobs that have ended in the last hour.", now => now.Ended);
        Gauge("seq2seq.shards", "{shard}", "Shards that wait or run.", now => now.Shards);
        Gauge("seq2seq.slots", "{slot}", "Device slots of live workers.", now => now.Slots);
        Gauge(
            "seq2seq.slot.lines",
            "{line}",
            "Lines that the slot's workers have done since their start.",
            now => now.SlotLines
        );
        Gauge(
            "seq2seq.slot.busy",
            "s",
            "Time that the slot's workers were computing since their start.",
            now => now.SlotBusy
        );
        Gauge(
            "seq2seq.webhooks.due",
            "{message}",
            "Messages to webhooks that are not delivered yet.",
            now => now.Webhooks
        );
    }

    public void Dispose() => _meter.Dispose();

    private void Gauge<T>(
        string name,
        string unit,
        string description,
        Func<Snapshot, IReadOnlyList<Measurement<T>>> values
    )
        where T : struct => _meter.CreateObservableGauge(name, () => values(Read()), unit, description);

    // The collector knows no waiting.
    private Snapshot Read()
    {
        lock (_lock)
        {
            if (_readAt != 0 && _time.GetElapsedTime(_readAt) < _fresh)
            {
                return _last;
            }

            try
            {
                _last = Query();
            }
            catch (NpgsqlException exception)
            {
                LogFailed(_logger, exception);
                _last = new Snapshot();
            }

            _readAt = _time.GetTimestamp();
            return _last;
        }
    }

    private Snapshot Query()
    {
        using var connection = _dataSource.OpenConnection();
        using var batch = new NpgsqlBatch(connection) { Timeout = TimeoutSeconds };
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Jobs));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Ended));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Shards));
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Slots) { Parameters = { new NpgsqlParameter<TimeSpan> { TypedValue = _lease } } }
        );
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Webhooks));
        using var reader = batch.ExecuteReader();
        var now = new Snapshot();
        while (reader.Read())
        {
            now.Jobs.Add(Of(reader, reader.GetInt64(2)));
            now.JobAges.Add(Of(reader, reader.GetDouble(3)));
        }

        reader.NextResult();
        while (reader.Read())
        {
            now.Ended.Add(Of(reader, reader.GetInt64(2)));
        }

        reader.NextResult();
        while (reader.Read())
        {
            now.Shards.Add(Of(reader, reader.GetInt64(2)));
        }

        reader.NextResult();
        while (reader.Read())
        {
            KeyValuePair<string, object?>[] slot =
            [
                new("host", reader.GetString(0)),
                new("slot", reader.GetString(1)),
                new("state", reader.GetString(2)),
            ];
            now.Slots.Add(new Measurement<long>(reader.GetInt64(3), slot));
            now.SlotLines.Add(new Measurement<long>(reader.GetInt64(4), slot));
            now.SlotBusy.Add(new Measurement<double>(reader.GetDouble(5), slot));
        }

        reader.NextResult();
        reader.Read();
        now.Webhooks.Add(new Measurement<long>(reader.GetInt64(0)));
        return now;
    }

    private static Measurement<T> Of<T>(NpgsqlDataReader row, T value)
        where T : struct =>
        new(
            value,
            new KeyValuePair<string, object?>("model", row.GetString(0)),
            new KeyValuePair<string, object?>("state", row.GetString(1))
        );

    [LoggerMessage(2120, LogLevel.Warning, "The numbers for metrics could not be read")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    private sealed record Snapshot
    {
        public List<Measurement<long>> Jobs { get; } = [];
        public List<Measurement<double>> JobAges { get; } = [];
        public List<Measurement<long>> Ended { get; } = [];
        public List<Measurement<long>> Shards { get; } = [];
        public List<Measurement<long>> Slots { get; } = [];
        public List<Measurement<long>> SlotLines { get; } = [];
        public List<Measurement<double>> SlotBusy { get; } = [];
        public List<Measurement<long>> Webhooks { get; } = [];
    }
}
