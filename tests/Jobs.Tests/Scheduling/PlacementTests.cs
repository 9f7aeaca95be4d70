using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class PlacementTests
{
    [Fact]
    public async Task A_model_leaves_a_kind_of_device_that_is_much_slower()
    {
        var small = new TestModel();
        var slots = new[] { Slot("cpu:0", small, rate: 1000), Slot("cuda:0", small, rate: 300) };

        await Placement.PlaceAsync(slots, new HashSet<string>(StringComparer.Ordinal) { "m" });

        slots[0].Models["m"].State.Should().Be(ModelState.Ready);
        slots[1].Models["m"].State.Should().Be(ModelState.Elsewhere);
        slots[1].Models["m"].LinesPerSecond.Should().Be(300);
        small.Disposed.Should().Be(1);
    }

    [Fact]
    public async Task A_slower_device_that_still_helps_keeps_the_model()
    {
        var slots = new[] { Slot("cpu:0", new TestModel(), rate: 600), Slot("cuda:0", new TestModel(), rate: 1000) };

        await Placement.PlaceAsync(slots, new HashSet<string>(StringComparer.Ordinal) { "m" });

        slots.Should().OnlyContain(slot => slot.Models["m"].State == ModelState.Ready);
    }

    [Fact]
    public async Task A_model_that_is_bound_to_a_device_stays()
    {
        var slots = new[] { Slot("cpu:0", new TestModel(), rate: 1), Slot("cuda:0", new TestModel(), rate: 1000) };

        await Placement.PlaceAsync(slots, new HashSet<string>(StringComparer.Ordinal));

        slots[0].Models["m"].State.Should().Be(ModelState.Ready);
    }

    [Fact]
    public void Slots_of_one_kind_need_no_placing()
    {
        var model = new TestModel();

        Placement.IsNeeded([Slot("cpu:0", model, 1), Slot("cpu:1", model, 9)]).Should().BeFalse();
        Placement.IsNeeded([Slot("cpu:0", model, 1), Slot("cuda:0", model, 9)]).Should().BeTrue();
    }

    private static DeviceSlot Slot(string name, TestModel model, double rate)
    {
        var plan = new SlotPlan(name, ComputeDevice.Parse(name), Threads: 1, Models: ["m"]);
        var slot = new DeviceSlot(plan, TimeProvider.System);
        var loaded = model.Load(new ModelLoadOptions { Name = "m", Folder = "m" });
        slot.SetModel(
            "m",
            new ModelOnDevice
            {
                State = ModelState.Ready,
                Preloaded = new PreloadedModel("m", "m", 1, rate, loaded),
                LinesPerSecond = rate,
            }
        );
        return slot;
    }
}
