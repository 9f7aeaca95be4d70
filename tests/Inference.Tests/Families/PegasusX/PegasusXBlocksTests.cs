using Seq2Seq.Inference.Families.PegasusX;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Tests.Families.PegasusX;

/// <summary>PEGASUS-X's pattern against its definition: which row sees which.</summary>
public sealed class PegasusXBlocksTests
{
    private static readonly int[] _lengths = [1, 4, 9, 3, 16, 5];

    [Theory]
    [InlineData(4, 2, true, 0)]
    [InlineData(4, 2, true, 1)]
    [InlineData(4, 2, false, 1)]
    [InlineData(3, 1, false, 0)]
    [InlineData(2, 3, true, 3)]
    [InlineData(64, 2, true, 1)]
    public void Tokens_see_their_block_and_globals_and_globals_see_their_line(
        int size,
        int globals,
        bool isStaggered,
        int layer
    )
    {
        using KeyValueCache memory = new(1, 2, TorchSharp.torch.CPU);
        SourceBatch source = new(
            [.. _lengths.Select(length => new int[length])],
            memory,
            [.. _lengths.Select(length => memory.Take(length))]
        );
        AttentionPattern pattern = new();

        new PegasusXBlocks(size, globals, isStaggered).Fill(pattern, source, layer);

        int rows = source.Tokens + (source.Lines * globals);
        int[,] seen = Seen(pattern, rows);
        int shift = isStaggered && layer % 2 == 1 ? size / 2 : 0;
        for (int query = 0; query < rows; query++)
        {
            for (int key = 0; key < rows; key++)
            {
                seen[query, key].Should().Be(Sees(query, key) ? 1 : 0, $"row {query} sees row {key}");
            }
        }

        bool Sees(int query, int key)
        {
            if (LineOf(query) != LineOf(key))
            {
                return false;
            }

            return query >= source.Tokens || key >= source.Tokens || BlockOf(query) == BlockOf(key);
        }

        int LineOf(int row) =>
            row >= source.Tokens
                ? (row - source.Tokens) / globals
                : Enumerable.Range(0, source.Lines).Last(line => source.Starts[line] <= row);

        int BlockOf(int row) => (source.Positions[row] + shift) / size;
    }

    private static int[,] Seen(AttentionPattern pattern, int rows)
    {
        int[,] seen = new int[rows, rows];
        int[] groups = new int[rows];
        foreach (AttentionPattern.Group group in pattern.Groups)
        {
            for (int row = group.FirstRow; row < group.FirstRow + group.RowCount; row++)
            {
                groups[row]++;
                foreach (int key in pattern.Keys.Slice(group.FirstKey, group.KeyCount))
                {
                    seen[row, key]++;
                }
            }
        }

        groups.Should().OnlyContain(count => count == 1);
        return seen;
    }
}
