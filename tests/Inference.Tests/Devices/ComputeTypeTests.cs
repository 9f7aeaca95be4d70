using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Tests.Devices;

public sealed class ComputeTypeTests
{
    [Fact]
    public void Every_type_reads_back_from_its_name()
    {
        foreach (ComputeType type in Enum.GetValues<ComputeType>())
        {
            ComputeTypeNames.Parse(type.ToName()).Should().Be(type);
        }
    }

    [Theory]
    [InlineData("fp16")]
    [InlineData("Float32")]
    [InlineData("")]
    public void An_unknown_name_is_refused_with_the_names_that_exist(string text)
    {
        Action parse = () => ComputeTypeNames.Parse(text);
        parse.Should().Throw<FormatException>().WithMessage($"'{text}' is not*'float32'*'int8'*");
    }
}
