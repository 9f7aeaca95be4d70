using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>What the workers say of models and slots: for pages, readiness and refusing unknown models.</summary>
public sealed class ModelDirectory
{
    public Task<IReadOnlyList<ModelStatus>> ListModelsAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<SlotStatus>> ListSlotsAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}

/// <summary>A configured model, over all slots of all live workers.</summary>
public sealed record ModelStatus
{
    public required string Name { get; init; }

    /// <summary><c>loading</c>, <c>ready</c> (on at least one slot) or <c>failed</c> (on every slot that should hold it).</summary>
    public required string State { get; init; }

    public required IReadOnlyList<ModelOnSlot> Slots { get; init; }

    /// <summary>Shards of this model that wait or run.</summary>
    public required long ShardsWaiting { get; init; }
    public required long ShardsRunning { get; init; }
}

/// <param name="Worker">The worker process.</param>
/// <param name="Slot">Such as <c>cpu:0</c>.</param>
/// <param name="State"><c>loading</c>, <c>ready</c>, <c>failed</c>, or <c>elsewhere</c> (placed on another device by measurement).</param>
/// <param name="ServedBy">The model that serves: another when the policy fell back to it.</param>
/// <param name="Report">The load's report; null while loading.</param>
public sealed record ModelOnSlot(string Worker, string Slot, string State, string? ServedBy, LoadReport? Report);

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
