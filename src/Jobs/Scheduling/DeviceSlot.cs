using System.Collections.Concurrent;
using Seq2Seq.Jobs.Execution;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>A device slot of this process: what it holds, how it is, what it has done.</summary>
internal sealed class DeviceSlot(SlotPlan plan, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ModelOnDevice> _models = new(
        plan.Models.Select(name => KeyValuePair.Create(name, ModelOnDevice.Loading)),
        StringComparer.OrdinalIgnoreCase
    );
    private readonly Lock _lock = new();
    private readonly List<PreloadedModel> _broken = [];
    private long _linesDone;
    private int _running;
    private long _busySince;
    private TimeSpan _busy;

    public SlotPlan Plan { get; } = plan;

    public SlotState State { get; private set; } = SlotState.Loading;

    /// <summary>Why the slot does not work; null when it does.</summary>
    public string? Message { get; private set; }

    public IReadOnlyDictionary<string, ModelOnDevice> Models => _models;

    public IEnumerable<string> ReadyModels =>
        _models.Where(model => model.Value.State == ModelState.Ready).Select(model => model.Key);

    public AnswerCache Answers { get; } = new(AnswerCache.UsualBytes);

    public long LinesDone => Volatile.Read(ref _linesDone);

    /// <summary>Time in which at least one shard ran.</summary>
    public TimeSpan Busy
    {
        get
        {
            lock (_lock)
            {
                return _running > 0 ? _busy + time.GetElapsedTime(_busySince) : _busy;
            }
        }
    }

    /// <summary>
    /// Says how the slot is now that its models were tried: ready with one or more, or with none because others are faster;
    /// else failed, with the first refusal.
    /// </summary>
    public void Judge()
    {
        var models = _models.Values;
        if (models.Any(model => model.State is ModelState.Ready or ModelState.Elsewhere))
        {
            SetState(SlotState.Ready, null);
        }
        else
        {
            string? refusal = models.Select(model => model.ErrorMessage).FirstOrDefault(message => message is not null);
            SetState(SlotState.Failed, refusal ?? "No configured model may stand on this slot.");
        }
    }

    public void SetState(SlotState state, string? message)
    {
        State = state;
        Message = message;
    }

    public void SetModel(string name, ModelOnDevice model) => _models[name] = model;

    /// <summary>Lets a model that could not be loaded be tried again now.</summary>
    public void RetryNow(string name, DateTimeOffset now)
    {
        if (_models.TryGetValue(name, out var model) && model.State == ModelState.Failed)
        {
            _models.TryUpdate(name, model with { RetryAt = now }, model);
        }
    }

    /// <summary>
    /// Takes a model off the slot that no longer generates; when several shards find out, the first does it. It is freed when
    /// the slot no longer serves it (<see cref="TakeBroken"/>).
    /// </summary>
    public void Break(PreloadedModel model, string code, string message, DateTimeOffset retryAt)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(Find(model.Name), model))
            {
                return;
            }

            _models[model.Name] = _models[model.Name] with
            {
                State = ModelState.Failed,
                Preloaded = null,
                ErrorCode = code,
                ErrorMessage = message,
                RetryAt = retryAt,
            };
            _broken.Add(model);
        }
    }

    /// <summary>The models that were broken since the last call.</summary>
    public IReadOnlyList<PreloadedModel> TakeBroken()
    {
        lock (_lock)
        {
            PreloadedModel[] broken = [.. _broken];
            _broken.Clear();
            return broken;
        }
    }

    /// <summary>Frees a model that another device serves better.</summary>
    public async Task PlaceElsewhereAsync(string name)
    {
        var model = _models[name];
        _models[name] = model with { State = ModelState.Elsewhere, Preloaded = null };
        if (model.Preloaded is { } preloaded)
        {
            await preloaded.Model.Dispose();
        }
    }

    /// <summary>Frees all models; the slot has stopped.</summary>
    public async Task UnloadAsync()
    {
        foreach (var model in _models.Values)
        {
            if (model.Preloaded is { } preloaded)
            {
                await preloaded.Model.Dispose();
            }
        }

        _models.Clear();
    }

    public PreloadedModel? Find(string name) => _models.TryGetValue(name, out var model) ? model.Preloaded : null;

    public void CountLines(int lines) => Interlocked.Add(ref _linesDone, lines);

    public void BeginShard()
    {
        lock (_lock)
        {
            if (_running++ == 0)
            {
                _busySince = time.GetTimestamp();
            }
        }
    }

    public void EndShard()
    {
        lock (_lock)
        {
            if (--_running == 0)
            {
                _busy += time.GetElapsedTime(_busySince);
            }
        }
    }
}

/// <summary>How a slot is; the names stand in the <c>slot</c> table.</summary>
internal enum SlotState
{
    Loading,
    Ready,
    Draining,
    Failed,
}

/// <summary>How a model is on a slot; the names stand in the <c>slot_model</c> table.</summary>
internal enum ModelState
{
    Loading,
    Ready,
    Failed,

    /// <summary>Placed on another device by measurement.</summary>
    Elsewhere,
}

/// <summary>A model on a slot.</summary>
internal sealed record ModelOnDevice
{
    public static ModelOnDevice Loading { get; } = new() { State = ModelState.Loading };

    public required ModelState State { get; init; }

    /// <summary>Set when ready.</summary>
    public PreloadedModel? Preloaded { get; init; }

    /// <summary>The last load's id.</summary>
    public long? LoadId { get; init; }

    public double? LinesPerSecond { get; init; }

    public string? ErrorCode { get; init; }

    public string? ErrorMessage { get; init; }

    /// <summary>When loading is tried again.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}
