using System.Text;
using CsCheck;
using Seq2Seq.Api.CommandLine.Lines;

namespace Seq2Seq.Api.Tests.CommandLine.Lines;

public sealed class LineReaderTests
{
    [Fact]
    public async Task Lines_keep_their_numbers_when_blank_ones_are_skipped()
    {
        List<InputLine> lines = await ReadAsync("a\n\n  \r\nb\r\nc");

        lines.Select(l => (l.Number, Encoding.UTF8.GetString(l.Utf8))).Should().Equal((0, "a"), (3, "b"), (4, "c"));
    }

    [Fact]
    public async Task A_byte_order_mark_is_not_part_of_the_first_line()
    {
        List<InputLine> lines = await ReadAsync("\uFEFF{}\n");

        lines.Should().ContainSingle().Which.Utf8.Should().Equal("{}"u8.ToArray());
    }

    [Fact]
    public async Task A_line_beyond_the_limit_is_marked_and_the_next_is_read()
    {
        byte[] input =
        [
            .. "before\n"u8,
            .. new byte[LineReader.MaxLineBytes + 1].Select(_ => (byte)'x'),
            .. "\nafter"u8,
        ];

        List<InputLine> lines = await ReadAsync(new MemoryStream(input));

        lines.Select(l => l.TooLong).Should().Equal(false, true, false);
        lines[1].Utf8.Should().BeEmpty();
        lines[2].Utf8.Should().Equal("after"u8.ToArray());
        lines[2].Number.Should().Be(2);
    }

    [Fact]
    public Task Any_cut_of_the_stream_gives_the_same_lines() =>
        Gen.Select(Gen.String[Gen.Char["ab ü{}\n"], 0, 200], Gen.Int[1, 20])
            .SampleAsync(
                async (text, step) =>
                {
                    List<InputLine> whole = await ReadAsync(text);
                    List<InputLine> cut = await ReadAsync(new SteppedStream(Encoding.UTF8.GetBytes(text), step));
                    return whole
                        .Select(l => (l.Number, Encoding.UTF8.GetString(l.Utf8)))
                        .SequenceEqual(cut.Select(l => (l.Number, Encoding.UTF8.GetString(l.Utf8))));
                }
            );

    [Fact]
    public async Task What_has_arrived_is_given_before_more_is_asked_for()
    {
        var arrived = new SteppedStream("a\nb\nc\n"u8.ToArray(), step: 2);
        var batches = new List<int>();
        await foreach (IReadOnlyList<InputLine> batch in LineReader.ReadAsync(arrived, CancellationToken.None))
        {
            batches.Add(batch.Count);
        }

        batches.Should().Equal(1, 1, 1);
    }

    private static Task<List<InputLine>> ReadAsync(string text) =>
        ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)));

    private static async Task<List<InputLine>> ReadAsync(Stream stream)
    {
        var lines = new List<InputLine>();
        await foreach (IReadOnlyList<InputLine> batch in LineReader.ReadAsync(stream, CancellationToken.None))
        {
            lines.AddRange(batch);
        }

        return lines;
    }
}
