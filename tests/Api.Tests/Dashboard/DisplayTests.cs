using Seq2Seq.Api.Dashboard;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs;

namespace Seq2Seq.Api.Tests.Dashboard;

public sealed class DisplayTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Theory]
    [InlineData(0.04, "0.0 s")]
    [InlineData(9.94, "9.9 s")]
    [InlineData(42, "42 s")]
    [InlineData(61, "1 min 1 s")]
    [InlineData(7_500, "2 h 5 min")]
    [InlineData(180_000, "2 d 2 h")]
    public void Durations_have_two_units(double seconds, string text) => Display.Seconds(seconds).Should().Be(text);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1_000, "1 kB")]
    [InlineData(16_347_392, "16.3 MB")]
    [InlineData(2_000_000_000_000_000, "2000 TB")]
    public void Sizes_have_a_unit(long bytes, string text) => Display.Size(bytes).Should().Be(text);

    [Fact]
    public void A_running_job_has_a_time_that_is_left_by_its_rate()
    {
        Display.Remaining(HalfDone(JobState.Running), linesPerSecond: 5).Should().Be(TimeSpan.FromSeconds(10));
        Display.Remaining(HalfDone(JobState.Running), linesPerSecond: null).Should().BeNull();
    }

    [Theory]
    [InlineData(JobState.Completed)]
    [InlineData(JobState.Failed)]
    [InlineData(JobState.Cancelled)]
    public void A_job_that_has_ended_has_no_time_that_is_left(JobState state) =>
        Display.Remaining(HalfDone(state), linesPerSecond: 5).Should().BeNull();

    private static Job HalfDone(JobState state) =>
        new()
        {
            Id = Guid.Empty,
            Model = "m",
            State = state,
            Priority = 0,
            Parameters = new GenerationParameters(),
            Lines = 100,
            LinesDone = 50,
            LinesFailed = 0,
            Bytes = 0,
            Shards = 2,
            ShardsDone = 1,
            CreatedAt = Start,
            StartedAt = Start,
        };
}
