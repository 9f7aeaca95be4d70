using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Whether this process's slots are ready for work, for <c>/readyz</c>. It follows what the database was told, so that
/// whoever asks the database next finds the same. Registered with the workers.
/// </summary>
public sealed class WorkerReadiness
{
    private readonly WorkerRegistry _registry;

    internal WorkerReadiness(WorkerRegistry registry) => _registry = registry;

    /// <summary>Preloading is over on every slot, and one or more take work.</summary>
    public bool IsReady
    {
        get
        {
            var slots = Slots;
            return slots.All(slot => slot.State is not "loading") && slots.Any(slot => slot.State is "ready");
        }
    }

    public IReadOnlyList<SlotReadiness> Slots => _registry.Told;
}

/// <param name="Slot">Such as <c>cpu:0</c>.</param>
/// <param name="State"><c>loading</c>, <c>ready</c>, <c>draining</c> or <c>failed</c>.</param>
/// <param name="Message">Why it does not work; null when it does.</param>
/// <param name="Models">What it holds or is to hold.</param>
public sealed record SlotReadiness(string Slot, string State, string? Message, IReadOnlyList<ModelReadiness> Models)
{
    internal static SlotReadiness Of(DeviceSlot slot) =>
        new(
            slot.Plan.Name,
            StateNames.Of(slot.State),
            slot.Message,
            [
                .. slot
                    .Models.OrderBy(model => model.Key, StringComparer.Ordinal)
                    .Select(model => ModelReadiness.Of(model.Key, model.Value)),
            ]
        );
}

/// <param name="Model">The configured model.</param>
/// <param name="State"><c>loading</c>, <c>ready</c>, <c>failed</c> or <c>elsewhere</c>.</param>
/// <param name="ServedBy">The model that serves: another when the policy fell back to it.</param>
/// <param name="ErrorCode">Why it failed.</param>
/// <param name="ErrorMessage">Why it failed, naming the tensor or file.</param>
/// <param name="RetryAt">When it is tried again.</param>
public sealed record ModelReadiness(
    string Model,
    string State,
    string? ServedBy,
    string? ErrorCode,
    string? ErrorMessage,
    DateTimeOffset? RetryAt
)
{
    internal static ModelReadiness Of(string name, ModelOnDevice model) =>
        new(
            name,
            StateNames.Of(model.State),
            model.Preloaded?.ServedBy,
            model.ErrorCode,
            model.ErrorMessage,
            model.RetryAt
        );
}
