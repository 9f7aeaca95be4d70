using Seq2Seq.Inference.Devices;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>Which slots this process has, and which models each of them is to hold.</summary>
/// <param name="Name">The slot's name: its device as configured.</param>
/// <param name="Device">The device.</param>
/// <param name="Threads">Cores that the slot may use.</param>
/// <param name="Models">Names of the models that it is to preload.</param>
internal sealed record SlotPlan(string Name, ComputeDevice Device, int Threads, IReadOnlyList<string> Models)
{
    /// <summary>The slot's cores, which its models share.</summary>
    public ComputeCores Cores { get; } = new(Threads);

    /// <summary><see cref="ModelOptions.Device"/> that lets measuring decide.</summary>
    public const string AnyDevice = "auto";

    // All cores together: the engine itself gives each core lines of its own while there are enough, and has all cores
    // compute a step together when there are few.
    private static readonly SlotOptions[] _default = [new() { Device = "cpu:0" }];

    public static IReadOnlyList<SlotPlan> Create(
        IReadOnlyList<SlotOptions> slots,
        IReadOnlyDictionary<string, ModelOptions> models,
        int cores
    )
    {
        var configured = slots.Count > 0 ? slots : _default;
        int sharing = configured.Count(slot => slot.Threads == 0 && !ComputeDevice.Parse(slot.Device).IsCuda);
        int taken = configured.Sum(slot => slot.Threads);
        int share = Math.Max(1, (cores - taken) / Math.Max(1, sharing));
        return [.. configured.Select(slot => Plan(slot, models, slot.Threads > 0 ? slot.Threads : share))];
    }

    private static SlotPlan Plan(SlotOptions slot, IReadOnlyDictionary<string, ModelOptions> models, int threads)
    {
        var device = ComputeDevice.Parse(slot.Device);
        IEnumerable<string> names =
            slot.Models.Count > 0
                ? models.Keys.Where(name => slot.Models.Contains(name, StringComparer.OrdinalIgnoreCase))
                : models.Where(model => Allows(model.Value.Device, slot.Device, device)).Select(model => model.Key);
        return new SlotPlan(slot.Device, device, threads, [.. names.Order(StringComparer.Ordinal)]);
    }

    private static bool Allows(string wanted, string slot, ComputeDevice device) =>
        wanted == AnyDevice
        || wanted == slot
        || ComputeDevice.Parse(wanted) is { Index: null } kind && kind.Kind == device.Kind;
}
