using System.ComponentModel;
using System.Text.Json.Serialization;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Api.Health;

internal sealed record Liveness(string Status);

/// <summary>Whether this process can do its part, and what is missing. Strangers see only the status.</summary>
internal sealed record Readiness
{
    [Description("ready, degraded (some models or slots are not) or unready.")]
    public required string Status { get; init; }

    [Description("reachable or unreachable.")]
    public required string Database { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ModelReadiness>? Models { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<SlotReadiness>? Slots { get; init; }

    [JsonIgnore]
    public bool IsReady => Status != "unready";

    public static Readiness WithoutDatabase { get; } = new() { Status = "unready", Database = "unreachable" };

    /// <param name="models">All configured models.</param>
    /// <param name="slots">All slots of live workers.</param>
    /// <param name="hasWorkers">Whether this process runs models itself: without, it takes jobs for workers that may come later.</param>
    public static Readiness Of(IReadOnlyList<ModelStatus> models, IReadOnlyList<SlotStatus> slots, bool hasWorkers)
    {
        bool all = models.All(model => model.State == "ready") && slots.All(slot => slot.State == "ready");
        bool canServe = models.Any(model => model.State == "ready") && slots.Any(slot => slot.State == "ready");
        return new Readiness
        {
            Status =
                canServe && all ? "ready"
                : canServe || !hasWorkers ? "degraded"
                : "unready",
            Database = "reachable",
            Models = [.. models.Select(ModelReadiness.Of)],
            Slots = [.. slots.Select(SlotReadiness.Of)],
        };
    }

    public Readiness WithoutDetails() => this with { Models = null, Slots = null };
}

/// <param name="Name">The model.</param>
/// <param name="State">loading, ready or failed.</param>
/// <param name="Reasons">Why it is not ready on a slot: the load's code and message.</param>
internal sealed record ModelReadiness(string Name, string State, IReadOnlyList<string> Reasons)
{
    public static ModelReadiness Of(ModelStatus model) =>
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

internal sealed record SlotReadiness(string Worker, string Name, string State, string? Message)
{
    public static SlotReadiness Of(SlotStatus slot) => new(slot.Worker, slot.Name, slot.State, slot.Message);
}
