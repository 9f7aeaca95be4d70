using System.IO.Compression;
using System.Text;
using CsCheck;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Tests;
using ZstdSharp;

namespace Seq2Seq.Jobs.Submission.Tests;

public sealed class InputFormatsTests
{
    private static readonly IInputFormat _text = InputFormats.All.Single(format => format.Name == "text");
    private static readonly IInputFormat _jsonLines = InputFormats.All.Single(format => format.Name == "jsonl");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Each_name_type_and_ending_belongs_to_one_format()
    {
        InputFormats.All.Select(format => format.Name).Should().OnlyHaveUniqueItems();
        InputFormats.All.SelectMany(format => format.ContentTypes).Should().OnlyHaveUniqueItems();
        InputFormats.All.SelectMany(format => format.Extensions).Should().OnlyHaveUniqueItems();
    }

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("a", new[] { "a" })]
    [InlineData("a\n", new[] { "a" })]
    [InlineData("a\r\nb\r\n", new[] { "a", "b" })]
    [InlineData("a\n\nb", new[] { "a", "", "b" })]
    [InlineData("\n\n", new[] { "", "" })]
    [InlineData("\uFEFFa\nb", new[] { "a", "b" })]
    [InlineData("\uFEFF", new[] { "" })]
    [InlineData("a\rb\u2028c\u0085d", new[] { "a\rb\u2028c\u0085d" })]
    [InlineData("a\r\r\n", new[] { "a\r" })]
    public async Task Text_has_a_line_on_each_line(string text, string[] lines)
    {
        var read = await ReadAsync(_text, Encoding.UTF8.GetBytes(text));

        read.Select(line => line.Text).Should().Equal(lines);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_the_error_of_their_line_alone()
    {
        var lines = await ReadAsync(_text, [(byte)'a', (byte)'\n', (byte)'b', 0xFF, (byte)'\n', (byte)'c']);

        lines.Select(line => line.Text).Should().Equal("a", null, "c");
        lines[1].Error!.Code.Should().Be(LineErrorCodes.Malformed);
        lines[1].Error!.Message.Should().Contain("0xff");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3_000_000)]
    public async Task A_line_over_the_limit_is_an_error_and_the_next_line_is_read(int over)
    {
        string text = $"a\n{new string('x', SourceLine.MaxBytes + over)}\r\nb\n";

        var lines = await ReadAsync(_text, Encoding.UTF8.GetBytes(text));

        lines.Should().HaveCount(3);
        lines[1].Error?.Code.Should().Be(over > 0 ? LineErrorCodes.TooLong : null);
        lines[1].Text?.Length.Should().Be(SourceLine.MaxBytes + over);
        lines[2].Text.Should().Be("b");
    }

    [Fact]
    public async Task A_file_without_line_ends_is_refused_before_it_fills_the_memory()
    {
        var read = () => ReadAsync(_text, new byte[64 * 1024 * 1024]);

        (await read.Should().ThrowAsync<SubmissionException>()).Which.Code.Should().Be(SubmissionCodes.InputMalformed);
    }

    [Fact]
    public async Task How_the_bytes_arrive_does_not_matter()
    {
        await Gen.Select(Gen.OneOf("a", "bc", "\n", "\r\n", "\r", "é", "\uFEFF").Array[0, 30], Gen.Int[1, 7])
            .SampleAsync(
                async (pieces, step) =>
                {
                    byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(pieces));
                    var whole = await ReadAsync(_text, bytes);
                    var trickled = await ReadAsync(_text, new TricklingStream(bytes, step));
                    trickled.Should().Equal(whole);
                }
            );
    }

    [Fact]
    public async Task Any_text_without_line_breaks_reads_back_as_it_was()
    {
        await Generators
            .Text.Select(text => text.Replace('\n', ' ').TrimEnd('\r'))
            .Array[1, 10]
            .SampleAsync(async texts =>
            {
                byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(texts.Select(text => $"{text}\n")));
                (await ReadAsync(_text, bytes)).Select(line => line.Text).Should().Equal(texts);
            });
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstandard")]
    public async Task Compressed_input_is_unpacked(string compression)
    {
        byte[] plain = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 100_000).Select(i => $"line {i}\n")));

        var lines = await ReadAsync(_text, new TricklingStream(Compress(compression, plain), step: 1000));

        lines.Should().HaveCount(100_000);
        lines[^1].Text.Should().Be("line 99999");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstandard")]
    public async Task Compressed_input_that_breaks_off_is_refused(string compression)
    {
        byte[] packed = Compress(compression, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("line\n", 1000))));

        var read = () => ReadAsync(_text, packed[..^6]);

        (await read.Should().ThrowAsync<SubmissionException>()).Which.Code.Should().Be(SubmissionCodes.InputMalformed);
    }

    [Fact]
    public async Task Json_lines_have_text_or_token_ids_and_an_id()
    {
        const string text = """
            {"text": "Grüße \"x\" \n"}
            {"custom_id": "a", "input_ids": [8774, 1], "text": null}
            {"text": "", "custom_id": null}
            {"text": "a", "target_prefix": "b"}
            {"text": "a", "decoder_input_ids": [5]}
            """;

        var lines = await ReadAsync(_jsonLines, Encoding.UTF8.GetBytes(text));

        lines
            .Should()
            .BeEquivalentTo(
                [
                    new SourceLine { Text = "Grüße \"x\" \n" },
                    new SourceLine { CustomId = "a", InputIds = [8774, 1] },
                    new SourceLine { Text = "" },
                    new SourceLine { Text = "a", TargetPrefix = "b" },
                    new SourceLine { Text = "a", DecoderInputIds = [5] },
                ],
                options => options.WithStrictOrdering()
            );
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("text", "not JSON")]
    [InlineData("{\"text\": \"a\"", "not JSON")]
    [InlineData("{\"text\": \"a\"} {}", "not JSON")]
    [InlineData("{\"text\": \"a\",}", "not JSON")]
    [InlineData("[\"a\"]", "an array")]
    [InlineData("null", "null")]
    [InlineData("{\"text\": 1}", "text is a number")]
    [InlineData("{\"text\": {\"a\": [1]}}", "text is an object")]
    [InlineData("{\"text\": \"a\", \"text\": \"b\"}", "text is there twice")]
    [InlineData("{\"txt\": \"a\"}", "no field 'txt'")]
    [InlineData("{\"text\": \"a\", \"parameters\": {\"num_beams\": 2}}", "no field 'parameters'")]
    [InlineData("{\"input_ids\": [1, 2.5]}", "input_ids has a number at 1")]
    [InlineData("{\"input_ids\": [[1]]}", "input_ids has an array at 0")]
    [InlineData("{\"input_ids\": 3}", "input_ids is a number")]
    [InlineData("{\"custom_id\": 7, \"text\": \"a\"}", "custom_id is a number")]
    [InlineData("{\"text\": \"\\ud83d\"}", "not valid")]
    public async Task A_line_that_can_not_be_read_is_an_error_and_the_next_line_is_read(string json, string expected)
    {
        var lines = await ReadAsync(_jsonLines, Encoding.UTF8.GetBytes($"{json}\n{{\"text\": \"next\"}}\n"));

        lines.Should().HaveCount(2);
        lines[0].Error!.Code.Should().Be(LineErrorCodes.Malformed);
        lines[0].Error!.Message.Should().Contain(expected);
        lines[1].Text.Should().Be("next");
    }

    [Fact]
    public async Task An_error_carries_the_id_wherever_it_stands()
    {
        var lines = await ReadAsync(_jsonLines, "{\"text\": 1, \"custom_id\": \"a\"}"u8.ToArray());

        lines.Single().CustomId.Should().Be("a");
    }

    [Fact]
    public async Task Deep_nesting_is_an_error_of_its_line()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 100_000));

        var lines = await ReadAsync(_jsonLines, Encoding.UTF8.GetBytes($"{{\"x\": {deep}\n{{\"text\": \"next\"}}"));

        lines[0].Error!.Code.Should().Be(LineErrorCodes.Malformed);
        lines[1].Text.Should().Be("next");
    }

    private static Task<List<SourceLine>> ReadAsync(IInputFormat format, byte[] bytes) =>
        ReadAsync(format, new MemoryStream(bytes));

    private static async Task<List<SourceLine>> ReadAsync(IInputFormat format, Stream stream) =>
        await format.ReadAsync(stream, Cancellation).ToListAsync(Cancellation);

    private static byte[] Compress(string compression, byte[] plain)
    {
        var packed = new MemoryStream();
        using (
            Stream packing =
                compression == "gzip"
                    ? new GZipStream(packed, CompressionLevel.Fastest)
                    : new CompressionStream(packed, level: 3)
        )
        {
            packing.Write(plain);
        }

        return packed.ToArray();
    }

    /// <summary>A few bytes at a time, as a slow network brings them.</summary>
    private sealed class TricklingStream(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) =>
            base.Read(buffer, offset, Math.Min(count, step));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, step)]);

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            await Task.Yield();
            return Read(buffer.Span);
        }
    }
}
