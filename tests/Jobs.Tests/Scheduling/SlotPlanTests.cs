using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class SlotPlanTests
{
    private static readonly Dictionary<string, ModelOptions> _models = new(StringComparer.OrdinalIgnoreCase)
    {
        ["any"] = new() { Folder = "x" },
        ["on-cpu"] = new() { Folder = "x", Device = "cpu" },
        ["on-cpu-1"] = new() { Folder = "x", Device = "cpu:1" },
        ["on-cuda"] = new() { Folder = "x", Device = "cuda:0" },
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(64)]
    public void Without_configuration_there_is_one_slot_of_all_cores(int cores)
    {
        var plan = SlotPlan.Create([], _models, cores).Single();

        plan.Name.Should().Be("cpu:0");
        plan.Threads.Should().Be(cores);
    }

    [Fact]
    public void A_slot_holds_the_models_that_may_stand_on_its_device()
    {
        List<SlotOptions> slots = [new() { Device = "cpu:0" }, new() { Device = "cpu:1" }, new() { Device = "cuda:0" }];

        var plans = SlotPlan.Create(slots, _models, cores: 8);

        plans[0].Models.Should().Equal("any", "on-cpu");
        plans[1].Models.Should().Equal("any", "on-cpu", "on-cpu-1");
        plans[2].Models.Should().Equal("any", "on-cuda");
    }

    [Fact]
    public void A_slot_that_names_its_models_holds_those()
    {
        var slot = new SlotOptions { Device = "cpu:0" };
        slot.Models.Add("ON-CUDA");

        SlotPlan.Create([slot], _models, cores: 8).Single().Models.Should().Equal("on-cuda");
    }

    [Fact]
    public void Slots_share_the_cores_that_are_not_given_away()
    {
        List<SlotOptions> slots =
        [
            new() { Device = "cpu:0", Threads = 2 },
            new() { Device = "cpu:1" },
            new() { Device = "cpu:2" },
        ];

        SlotPlan.Create(slots, _models, cores: 8).Select(plan => plan.Threads).Should().Equal(2, 3, 3);
    }

    [Fact]
    public void A_slot_has_at_least_one_core()
    {
        List<SlotOptions> slots = [new() { Device = "cpu:0", Threads = 4 }, new() { Device = "cpu:1" }];

        SlotPlan.Create(slots, _models, cores: 2)[1].Threads.Should().Be(1);
    }
}
