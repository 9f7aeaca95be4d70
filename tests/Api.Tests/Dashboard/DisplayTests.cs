using Seq2Seq.Api.Dashboard;

namespace Seq2Seq.Api.Tests.Dashboard;

public sealed class DisplayTests
{
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
}
