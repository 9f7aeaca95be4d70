using System.ComponentModel;
using System.Text.Json.Serialization;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Api.Health;

internal sealed record Liveness(string Status);

/// <summary>
/// Whether this process can do its part, and what is missing. A process with workers is ready when one of its slots takes work; one
/// without takes jobs for workers elsewhere. Strangers see only the status.
/// </summary>
internal sealed record Readiness
{
    private const string Ready = "ready";
    private const string Degraded = "degraded";
    private const string Unready = "unready";

    [Description("ready, degraded (some models or slots are not) or unready.")]
    public required string Status { get; init; }

    [Description("reachable or unreachable.")]
    public required string Database { get; init; }

    [Description("Every model over all live workers, and why it is not ready where it is not.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ModelState>? Models { get; init; }

    [Description("The slots of this process; of all live workers where this process has none.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<SlotState>? Slots { get; init; }

    [JsonIgnore]
    public bool IsReady => Status != Unready;

    public static Readiness WithoutDatabase { get; } = new() { Status = Unready, Database = "unreachable" };

    /// <param name="models">All models.</param>
    /// <param name="slots">All slots of live workers.</param>
    /// <param name="own">The workers of this process; null without any.</param>
    public static Readiness Of(IReadOnlyList<ModelStatus> models, IReadOnlyList<SlotStatus> slots, WorkerReadiness? own)
    {
        SlotState[] states = own is null
            ? [.. slots.Select(slot => new SlotState(slot.Worker, slot.Name, slot.State, slot.Message))]
            : [.. own.Slots.Select(slot => new SlotState(null, slot.Slot, slot.State, slot.Message))];
        bool isComplete =
            models.Count > 0
            && models.All(model => model.State == Ready)
            && states.Length > 0
            && Array.TrueForAll(states, slot => slot.State == Ready);
        return new Readiness
        {
            Status =
                own is { IsReady: false } ? Unready
                : isComplete ? Ready
                : Degraded,
            Database = "reachable",
            Models = [.. models.Select(ModelState.Of)],
            Slots = states,
        };
    }

    public Readiness WithoutDetails() => this with { Models = null, Slots = null };
}

/// <param name="Name">The model.</param>
/// <param name="State">loading, ready or failed.</param>
/// <param name="Reasons">Why it is not ready on a slot: the load's message and code.</param>
internal sealed record ModelState(string Name, string State, IReadOnlyList<string> Reasons)
{
    public static ModelState Of(ModelStatus model) =>
        new(
            model.Name,
            model.State,
            [
                .. model
                    .Slots.Where(slot => slot.Report?.Code is not null)
                    .Select(slot => $"{slot.Slot}: {slot.Report!.Message} ({slot.Report.Code})"),
            ]
        );
}

/// <param name="Worker">The worker process; null for this one.</param>
/// <param name="Name">Such as cpu:0.</param>
/// <param name="State">loading, ready, draining or failed.</param>
/// <param name="Message">Why it does not work; null when it does.</param>
internal sealed record SlotState(string? Worker, string Name, string State, string? Message);
