using System.Buffers;
using System.Text;
using CsCheck;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Results.Tests;

public sealed class ShardOutputTests
{
    [Fact]
    public void Results_read_back_as_they_were()
    {
        Gen.Select(Generators.Text.Null(), Generators.Result)
            .Array[0, 10]
            .Sample(results =>
            {
                var expected = results.Select((result, i) => new LineResult(100 + i, result.Item1, result.Item2));
                ShardOutput
                    .Read(Write(results), firstLine: 100)
                    .Should()
                    .BeEquivalentTo(expected, options => options.WithStrictOrdering());
            });
    }

    [Fact]
    public void A_score_that_is_no_number_reads_as_no_number()
    {
        var output = new SequenceOutput
        {
            TokenIds = [1],
            Score = double.NegativeInfinity,
            FinishReason = FinishReason.Stop,
        };

        var read = ShardOutput.Read(Write([(null, new SequenceResult { Outputs = [output] })]), firstLine: 0);

        read.Single().Result.Outputs.Single().Score.Should().Be(double.NaN);
    }

    [Fact]
    public void The_stored_form_is_a_contract()
    {
        var outputs = new SequenceResult
        {
            Outputs =
            [
                new SequenceOutput
                {
                    Text = "é",
                    TokenIds = [363, 1],
                    Score = -0.5,
                    FinishReason = FinishReason.Stop,
                },
                new SequenceOutput
                {
                    TokenIds = [7],
                    Score = -2,
                    FinishReason = FinishReason.Length,
                    TokenLogprobs = [-2],
                },
            ],
        };

        var cut = new SequenceResult
        {
            Outputs =
            [
                new SequenceOutput
                {
                    TokenIds = [1],
                    Score = -1,
                    FinishReason = FinishReason.Stop,
                },
            ],
            Truncation = new SourceTruncation(812, 512),
        };

        Encoding
            .UTF8.GetString(
                Write([("a", outputs), (null, SequenceResult.Failed("line_empty", "No text.")), (null, cut)]).Span
            )
            .Should()
            .Be(
                """
                {"id":"a","outputs":[{"text":"é","ids":[363,1],"score":-0.5},{"ids":[7],"score":-2,"length":true,"logprobs":[-2]}]}
                {"code":"line_empty","message":"No text."}
                {"cut":[812,512],"outputs":[{"ids":[1],"score":-1}]}

                """
            );
    }

    [Fact]
    public void A_field_of_a_later_version_is_passed_over()
    {
        byte[] stored = Encoding.UTF8.GetBytes(
            """{"later":[1,{}],"outputs":[{"later":{"x":[1]},"ids":[7],"score":-1}]}""" + "\n"
        );

        ShardOutput
            .Read(stored, firstLine: 0)
            .Should()
            .ContainSingle()
            .Which.Result.Outputs.Should()
            .ContainSingle()
            .Which.TokenIds.Should()
            .Equal(7);
    }

    [Fact]
    public void Results_that_were_stored_before_cut_sources_were_marked_read_as_whole_ones()
    {
        byte[] stored = Encoding.UTF8.GetBytes("""{"id":"a","outputs":[{"ids":[7],"score":-1}]}""" + "\n");

        ShardOutput.Read(stored, firstLine: 0).Should().ContainSingle().Which.Result.Truncation.Should().BeNull();
    }

    private static ReadOnlyMemory<byte> Write(IEnumerable<(string? CustomId, SequenceResult Result)> results)
    {
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var (customId, result) in results)
        {
            ShardOutput.Append(buffer, customId, result);
        }

        return buffer.WrittenMemory;
    }
}
