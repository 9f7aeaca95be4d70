using CsCheck;
using Hangfire.States;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class ShardQueueTests
{
    [Fact]
    public void A_model_that_Hangfire_takes_keeps_its_name()
    {
        ShardQueue.Name(5, "english-tts").Should().Be("5-english-tts");
    }

    [Fact]
    public void Another_name_is_spelled_with_what_Hangfire_takes()
    {
        ShardQueue.Name(0, "google/Flan-T5").Should().StartWith("0-google-flan-t5--");
    }

    [Theory]
    [InlineData("a/b", "a-b")]
    [InlineData("A", "a")]
    [InlineData("语", "言")]
    public void Names_that_are_spelled_alike_stay_apart(string one, string other)
    {
        ShardQueue.Name(5, one).Should().NotBe(ShardQueue.Name(5, other));
    }

    [Fact]
    public void A_name_that_looks_like_anothers_spelling_stays_apart_from_it()
    {
        string spelled = ShardQueue.ModelPart("A");

        ShardQueue.ModelPart(spelled).Should().NotBe(spelled);
    }

    [Fact]
    public void Hangfire_takes_every_name_and_different_models_have_different_queues()
    {
        Gen.Select(Gen.String[1, 20], Gen.String[1, 20])
            .Sample(
                (one, other) =>
                {
                    _ = new EnqueuedState(ShardQueue.Name(3, one));
                    return one == other || ShardQueue.Name(3, one) != ShardQueue.Name(3, other);
                }
            );
    }

    [Fact]
    public void Sorted_names_are_sorted_by_priority()
    {
        var names = ShardQueue.Names(["zebra", "ape"]);

        names.Should().HaveCount(20).And.BeInAscendingOrder(StringComparer.Ordinal);
        names.Take(2).Should().Equal("0-ape", "0-zebra");
        names.Select(name => name[0]).Should().BeInAscendingOrder();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(10)]
    public void A_priority_of_more_than_one_digit_is_an_error(int priority)
    {
        var name = () => ShardQueue.Name(priority, "m");

        name.Should().Throw<ArgumentOutOfRangeException>();
    }
}
