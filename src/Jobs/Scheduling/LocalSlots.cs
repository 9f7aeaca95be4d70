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
    /// beside large ones, however long each shard of those takes.
    /// </summary>
    public const int ReservedPlaces = 1;

    public IReadOnlyList<DeviceSlot> All { get; } =
    [
        .. SlotPlan
            .Create(slots.Value, models.Value, Environment.ProcessorCount)
            .Select(plan => new DeviceSlot(plan, time)),
    ];

    public int ShardsPerSlot => jobs.Value.ShardsPerSlot;
}
