using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>The device slots of this process.</summary>
internal sealed class LocalSlots(
    IOptions<JobsOptions> jobs,
    IOptions<SlotsOptions> slots,
    IOptions<ModelsOptions> models,
    TimeProvider time
)
{
    /// <summary>
    /// Places of a slot beyond <see cref="ShardsPerSlot"/>, for the first shard of new jobs: a small job starts at once
    /// beside large ones, however long each shard of those takes. A large one that is new takes such a place as well, for as
    /// long as its first shard runs, so that there are several. A place costs a thread that waits.
    /// </summary>
    public const int ReservedPlaces = 5;

    public IReadOnlyList<DeviceSlot> All { get; } =
    [
        .. SlotPlan
            .Create(slots.Value, models.Value, Environment.ProcessorCount)
            .Select(plan => new DeviceSlot(plan, time)),
    ];

    public int ShardsPerSlot => jobs.Value.ShardsPerSlot;
}
