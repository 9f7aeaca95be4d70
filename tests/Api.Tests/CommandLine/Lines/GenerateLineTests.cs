using System.Text;
using System.Text.Json;
using Seq2Seq.Api.CommandLine.Lines;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Api.Tests.CommandLine.Lines;

public sealed class GenerateLineTests
{
    [Fact]
    public void Text_and_token_ids_are_read()
    {
        Read("""{"id": 1, "text": "a"}""").Input!.Text.Should().Be("a");
        Read("""{"id": 1, "input_ids": [3, 1]}""").Input!.TokenIds.Should().Equal(3, 1);
    }

    [Theory]
    [InlineData("nonsense", "The line is not JSON")]
    [InlineData("[1]", "The line is a JSON Array; expected an object.")]
    [InlineData("""{"id": 1}""", "The line needs one of 'text' and 'input_ids'.")]
    [InlineData("""{"text": "a", "input_ids": [1]}""", "The line needs one of 'text' and 'input_ids'.")]
    [InlineData("""{"text": 5}""", "'text' is 5; expected a string.")]
    [InlineData("""{"text": "\ud800"}""", "'text' is not valid Unicode.")]
    [InlineData("""{"input_ids": [1, 2.5]}""", "'input_ids[1]' is 2.5; expected an integer.")]
    [InlineData("""{"input_ids": "1"}""", """'input_ids' is "1"; expected an array of integers.""")]
    public void A_wrong_line_says_what_was_found_and_what_was_expected(string json, string message)
    {
        GenerateLine line = Read(json);

        line.Input.Should().BeNull();
        line.Error!.Code.Should().Be(LineErrorCodes.Malformed);
        line.Error.Message.Should().StartWith(message);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_an_error_of_the_line()
    {
        var line = new InputLine(0, [.. "{\"text\": \""u8, 0xC3, 0x28, .. "\"}"u8], TooLong: false);

        GenerateLine
            .Read(line, new GenerationParameters(), isScored: false)
            .Error!.Code.Should()
            .Be(LineErrorCodes.Malformed);
    }

    [Fact]
    public void An_answer_holds_every_output()
    {
        GenerateLine line = Read("""{"id": "a", "text": "x"}""");

        LineAnswer answer = line.Answer(
            new SequenceResult
            {
                Outputs =
                [
                    new SequenceOutput
                    {
                        Text = "y",
                        TokenIds = [5, 1],
                        Score = -0.25,
                        FinishReason = FinishReason.Stop,
                    },
                    new SequenceOutput
                    {
                        Text = null,
                        TokenIds = [5],
                        Score = double.NegativeInfinity,
                        FinishReason = FinishReason.Length,
                    },
                ],
            }
        );

        answer.Failed.Should().BeFalse();
        using var json = JsonDocument.Parse(answer.Utf8);
        Encoding
            .UTF8.GetString(answer.Utf8)
            .Should()
            .Be(
                """{"id":"a","outputs":[{"text":"y","token_ids":[5,1],"score":-0.25,"finish_reason":"stop"},{"text":null,"token_ids":[5],"score":null,"finish_reason":"length"}]}"""
            );
    }

    [Fact]
    public void The_answer_to_a_line_that_was_cut_says_so_before_its_outputs()
    {
        LineAnswer answer = Read("""{"id": 1, "text": "x"}""")
            .Answer(new SequenceResult { Truncation = new SourceTruncation(812, 512) });

        Encoding
            .UTF8.GetString(answer.Utf8)
            .Should()
            .Be("""{"id":1,"truncated":true,"source_tokens":812,"kept_tokens":512,"outputs":[]}""");
    }

    [Fact]
    public void A_line_to_score_has_a_target()
    {
        GenerateLine line = Read("""{"text": "x", "target_ids": [5, 1]}""", isScored: true);

        line.Input!.TargetTokenIds.Should().Equal(5, 1);
    }

    [Theory]
    [InlineData("""{"text": "x"}""", true)]
    [InlineData("""{"text": "x", "target": "y", "target_ids": [5, 1]}""", true)]
    [InlineData("""{"text": "x", "target": "y"}""", false)]
    public void A_target_where_none_belongs_or_none_where_one_does_is_an_error_of_the_line(string json, bool isScored)
    {
        GenerateLine line = Read(json, isScored);

        line.Error!.Code.Should().Be(LineErrorCodes.Malformed);
        line.Error.Message.Should().Contain("target");
    }

    [Fact]
    public void A_line_may_say_what_its_outputs_begin_with()
    {
        Read("""{"text": "x", "target_prefix": "So"}""").Input!.PrefixText.Should().Be("So");
        Read("""{"text": "x", "decoder_input_ids": [5, 6]}""").Input!.PrefixTokenIds.Should().Equal(5, 6);
        Read("""{"text": "x", "target_prefix": "So", "decoder_input_ids": [5]}""")
            .Error!.Message.Should()
            .Contain("decoder_input_ids");
    }

    private static GenerateLine Read(string json, bool isScored = false) =>
        GenerateLine.Read(
            new InputLine(0, Encoding.UTF8.GetBytes(json), TooLong: false),
            new GenerationParameters(),
            isScored
        );
}
