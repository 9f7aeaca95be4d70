using System.Buffers;
using System.Text;
using CsCheck;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Sharding.Tests;

public sealed class ShardInputTests
{
    [Fact]
    public void Lines_read_back_as_they_were()
    {
        Generators
            .Line.Array[0, 20]
            .Sample(lines =>
                ShardInput
                    .Read(Write(lines))
                    .Should()
                    .BeEquivalentTo(lines, options => options.WithStrictOrdering().IncludingInternalProperties())
            );
    }

    [Fact]
    public void Each_line_is_stored_on_one_line()
    {
        Generators.Line.Sample(line => Write([line]).Span.IndexOf((byte)'\n') == Write([line]).Length - 1);
    }

    [Fact]
    public void Splitting_keeps_every_line_in_order()
    {
        Gen.Select(Generators.Line.Array[1, 20], Gen.Int[0, 20])
            .Sample(
                (lines, after) =>
                {
                    int cut = Math.Min(after, lines.Length);
                    var (head, tail) = ShardInput.SplitAfter(Write(lines), cut);
                    ShardInput.Read(head).Should().HaveCount(cut);
                    ShardInput
                        .Read(head)
                        .Concat(ShardInput.Read(tail))
                        .Should()
                        .BeEquivalentTo(lines, options => options.WithStrictOrdering().IncludingInternalProperties());
                }
            );
    }

    [Fact]
    public void The_stored_form_is_a_contract()
    {
        var output = new SequenceOutput
        {
            Text = "y",
            TokenIds = [1],
            Score = -0.5,
            FinishReason = FinishReason.Stop,
        };
        SourceLine[] lines =
        [
            new() { Text = "Grüße" },
            new() { CustomId = "a", Text = "x" },
            new() { CustomId = "b", InputIds = [8774, 1] },
            new()
            {
                Error = new LineError { Code = "line_malformed", Message = "not JSON" },
            },
            new()
            {
                CustomId = "c",
                Answer = new SequenceResult { Outputs = [output] },
            },
            new()
            {
                Answer = new SequenceResult { Outputs = [output], Truncation = new SourceTruncation(812, 512) },
            },
        ];

        Encoding
            .UTF8.GetString(Write(lines).Span)
            .Should()
            .Be(
                """
                "Grüße"
                {"id":"a","text":"x"}
                {"id":"b","ids":[8774,1]}
                {"code":"line_malformed","message":"not JSON"}
                {"id":"c","outputs":[{"text":"y","ids":[1],"score":-0.5}]}
                {"cut":[812,512],"outputs":[{"text":"y","ids":[1],"score":-0.5}]}

                """
            );
    }

    [Fact]
    public void A_field_of_a_later_version_is_passed_over()
    {
        byte[] stored = Encoding.UTF8.GetBytes("{\"later\":{\"x\":[1]},\"text\":\"x\"}\n");

        ShardInput.Read(stored).Should().ContainSingle().Which.Text.Should().Be("x");
    }

    private static ReadOnlyMemory<byte> Write(IEnumerable<SourceLine> lines)
    {
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var line in lines)
        {
            ShardInput.Append(buffer, line);
        }

        return buffer.WrittenMemory;
    }
}
