using CsCheck;

namespace Seq2Seq.Jobs.Sharding.Tests;

public sealed class ShardCutterTests
{
    private static readonly Gen<byte[]> _line = Gen.Byte.Array[0, 40].Select(bytes => (byte[])[.. bytes, (byte)'\n']);

    private static readonly Gen<(byte[][] Lines, int MaxLines, int MaxBytes)> _job = Gen.Select(
        _line.Array[0, 200],
        Gen.Int[1, 50],
        Gen.Int[1, 300]
    );

    [Fact]
    public void Shards_partition_the_lines()
    {
        _job.Sample(job =>
        {
            var shards = Cut(job.Lines, job.MaxLines, job.MaxBytes);
            long next = 0;
            foreach (var shard in shards)
            {
                shard.FirstLine.Should().Be(next);
                shard.Lines.Should().BePositive();
                next += shard.Lines;
            }

            next.Should().Be(job.Lines.Length);
            shards.SelectMany(shard => shard.Input).Should().Equal(job.Lines.SelectMany(line => line));
        });
    }

    [Fact]
    public void No_shard_is_over_a_limit_but_one_of_a_single_long_line()
    {
        _job.Sample(job =>
            Cut(job.Lines, job.MaxLines, job.MaxBytes)
                .TrueForAll(shard =>
                    shard.Lines <= job.MaxLines && (shard.Input.Length <= job.MaxBytes || shard.Lines == 1)
                )
        );
    }

    [Fact]
    public void The_same_lines_are_cut_at_the_same_places()
    {
        _job.Sample(job =>
            Cut(job.Lines, job.MaxLines, job.MaxBytes)
                .Select(shard => shard.FirstLine)
                .SequenceEqual(Cut(job.Lines, job.MaxLines, job.MaxBytes).Select(shard => shard.FirstLine))
        );
    }

    [Fact]
    public void The_first_shards_are_small_and_double()
    {
        byte[][] lines = [.. Enumerable.Repeat("x\n"u8.ToArray(), 4000)];

        Cut(lines, maxLines: 1000, maxBytes: 1_000_000)
            .Select(shard => shard.Lines)
            .Should()
            .Equal(62, 124, 248, 496, 992, 1000, 1000, 78);
    }

    private static List<CutShard> Cut(byte[][] lines, int maxLines, int maxBytes)
    {
        var cutter = new ShardCutter(maxLines, maxBytes);
        List<CutShard?> shards = [.. lines.Select(line => cutter.Add(line)), cutter.Finish()];
        return [.. shards.OfType<CutShard>()];
    }
}
