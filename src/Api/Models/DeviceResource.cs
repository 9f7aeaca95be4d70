using System.ComponentModel;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Api.Models;

/// <summary>A device slot of a live worker.</summary>
internal sealed record DeviceResource
{
    [Description("The slot, such as cpu:0.")]
    public required string Name { get; init; }

    public required string Device { get; init; }

    public required string Worker { get; init; }

    public required string Host { get; init; }

    public required int ProcessId { get; init; }

    [Description("Cores that the slot may use.")]
    public required int Threads { get; init; }

    [Description("loading, ready, draining or failed.")]
    public required string State { get; init; }

    [Description("Why the slot is in that state, if there is more to say.")]
    public string? Message { get; init; }

    [Description("Models that the slot serves.")]
    public required IReadOnlyList<string> Models { get; init; }

    public required long ShardsRunning { get; init; }

    [Description("Shards that wait for a model which the slot serves; other slots may take them as well.")]
    public required long ShardsWaiting { get; init; }

    public required long LinesDone { get; init; }

    [Description("Share of the time since the worker's start that the slot was computing, 0 to 1.")]
    public required double Utilisation { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset HeartbeatAt { get; init; }

    public static DeviceResource Of(SlotStatus slot, IReadOnlyList<ModelStatus> models, DateTimeOffset now) =>
        new()
        {
            Name = slot.Name,
            Device = slot.Device,
            Worker = slot.Worker,
            Host = slot.Host,
            ProcessId = slot.ProcessId,
            Threads = slot.Threads,
            State = slot.State,
            Message = slot.Message,
            Models = slot.Models,
            ShardsRunning = slot.ShardsRunning,
            ShardsWaiting = WaitingOf(slot, models),
            LinesDone = slot.LinesDone,
            Utilisation = UtilisationOf(slot, now),
            StartedAt = slot.StartedAt,
            HeartbeatAt = slot.HeartbeatAt,
        };

    public static long WaitingOf(SlotStatus slot, IReadOnlyList<ModelStatus> models) =>
        models
            .Where(model => slot.Models.Contains(model.Name, StringComparer.Ordinal))
            .Sum(model => model.ShardsWaiting);

    public static double UtilisationOf(SlotStatus slot, DateTimeOffset now)
    {
        double seconds = (now - slot.StartedAt).TotalSeconds;
        return seconds > 0 ? Math.Round(Math.Clamp(slot.BusySeconds / seconds, 0, 1), 4) : 0;
    }
}

internal sealed record DeviceList(IReadOnlyList<DeviceResource> Devices);
