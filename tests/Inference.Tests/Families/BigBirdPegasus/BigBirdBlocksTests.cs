using Seq2Seq.Inference.Families.BigBirdPegasus;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Tests.Families.BigBirdPegasus;

/// <summary>BigBird's pattern against its definition: which token sees which, and how often.</summary>
public sealed class BigBirdBlocksTests
{
    [Theory]
    [InlineData(3, 1, 22)]
    [InlineData(3, 1, 24)]
    [InlineData(3, 1, 40)]
    [InlineData(2, 0, 11)]
    [InlineData(2, 0, 12)]
    [InlineData(4, 3, 45)]
    [InlineData(1, 1, 9)]
    public void A_long_line_sees_the_ends_its_neighbours_and_the_first_block_for_each_random_one(
        int size,
        int random,
        int length
    )
    {
        BigBirdBlocks blocks = new(size, random);
        const int Start = 5;
        int last = (length - 1) / size;

        int[,] seen = Seen(blocks, Start, length);

        for (int query = 0; query < length; query++)
        {
            for (int key = 0; key < length; key++)
            {
                (int queryBlock, int keyBlock) = (query / size, key / size);
                int expected = Expected(queryBlock, keyBlock);
                seen[query, key].Should().Be(expected, $"token {query} sees token {key}");
            }
        }

        int Expected(int queryBlock, int keyBlock)
        {
            if (queryBlock == 0 || queryBlock == last)
            {
                return 1;
            }

            int times = keyBlock == 0 || keyBlock == last || Math.Abs(queryBlock - keyBlock) <= 1 ? 1 : 0;
            return keyBlock == 0 ? times + random : times;
        }
    }

    [Theory]
    [InlineData(3, 1, 21)]
    [InlineData(3, 1, 1)]
    [InlineData(4, 3, 44)]
    [InlineData(2, 0, 10)]
    public void A_line_no_longer_than_the_pattern_sees_itself_whole(int size, int random, int length)
    {
        int[,] seen = Seen(new BigBirdBlocks(size, random), start: 2, length);

        seen.Cast<int>().Should().OnlyContain(times => times == 1);
    }

    [Fact]
    public void Lines_of_a_batch_do_not_see_each_other()
    {
        BigBirdBlocks blocks = new(Size: 2, Random: 1);
        AttentionPattern pattern = new();
        blocks.AddLine(pattern, start: 0, length: 20);
        blocks.AddLine(pattern, start: 20, length: 3);

        foreach (AttentionPattern.Group group in pattern.Groups)
        {
            int[] keys = pattern.Keys.Slice(group.FirstKey, group.KeyCount).ToArray();
            keys.Should().OnlyContain(key => key < 20 == group.FirstRow < 20);
        }
    }

    /// <summary>How often each token of a line sees each; every token must stand in exactly one group.</summary>
    private static int[,] Seen(BigBirdBlocks blocks, int start, int length)
    {
        AttentionPattern pattern = new();
        blocks.AddLine(pattern, start, length);
        int[,] seen = new int[length, length];
        List<int> rows = [];
        foreach (AttentionPattern.Group group in pattern.Groups)
        {
            for (int row = group.FirstRow; row < group.FirstRow + group.RowCount; row++)
            {
                rows.Add(row);
                foreach (int key in pattern.Keys.Slice(group.FirstKey, group.KeyCount))
                {
                    seen[row - start, key - start]++;
                }
            }
        }

        rows.Should().Equal(Enumerable.Range(start, length));
        return seen;
    }
}
