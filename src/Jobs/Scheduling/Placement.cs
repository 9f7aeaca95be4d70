namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Where models with <c>Device: auto</c> stand, by what the probe after loading measured. A slot keeps a model unless another
/// kind of device does it so much faster that the slow slot would only hold shards up. Slots of one kind are alike, so on a
/// machine without accelerators every slot keeps every model.
/// </summary>
internal static class Placement
{
    // Twice as fast: below, the slower slot still adds more than it delays.
    private const double Decisive = 2;

    public static bool IsNeeded(IEnumerable<DeviceSlot> slots) =>
        slots.Select(slot => slot.Plan.Device.Kind).Distinct(StringComparer.Ordinal).Skip(1).Any();

    public static async Task PlaceAsync(IReadOnlyList<DeviceSlot> slots, IReadOnlySet<string> measured)
    {
        foreach (string name in measured)
        {
            var candidates = slots
                .Where(slot => slot.Models.TryGetValue(name, out var model) && model.LinesPerSecond is not null)
                .ToList();
            double best = candidates.Select(slot => slot.Models[name].LinesPerSecond!.Value).DefaultIfEmpty().Max();
            foreach (var slow in candidates.Where(slot => slot.Models[name].LinesPerSecond * Decisive < best))
            {
                await slow.PlaceElsewhereAsync(name);
            }
        }
    }
}
