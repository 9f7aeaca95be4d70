using Seq2Seq.Inference.Layers.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.LongT5;

/// <summary>
/// The blocks that lines are cut into: every whole block is one; the tokens behind the last belong to it, and a line
/// shorter than a block has none (<c>_make_global_fixed_block_ids</c> of transformers).
/// </summary>
internal sealed class LongT5Blocks
{
    public LongT5Blocks(SourceBatch source, int size)
    {
        List<long> tokens = [];
        List<long> blocks = [];
        Starts = new int[source.Lines + 1];
        OfTokens = new int[source.Tokens];
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            int length = source.Starts[line + 1] - start;
            int count = length / size;
            Starts[line + 1] = Starts[line] + count;
            long[] ids = Ids(length, size);
            for (int i = 0; i < length && count > 0; i++)
            {
                OfTokens[start + i] = (int)ids[i];
                tokens.Add(start + i);
                blocks.Add(Starts[line] + ids[i]);
            }
        }

        Tokens = [.. tokens];
        Blocks = [.. blocks];
    }

    /// <summary><c>[lines + 1]</c>: first block of each line, and the number of blocks.</summary>
    public int[] Starts { get; }

    /// <summary><c>[tokens]</c>: the block in its line that a token belongs to; 0 where there is none.</summary>
    public int[] OfTokens { get; }

    /// <summary>The tokens that belong to a block.</summary>
    public long[] Tokens { get; }

    /// <summary>For each of <see cref="Tokens"/> its block, counted over all lines.</summary>
    public long[] Blocks { get; }

    public int Count => Starts[^1];

    // i / size as the reference rounds it, in float32 sums of 1 / size: a token on a border may fall to the other side.
    private static long[] Ids(int length, int size)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor parts = ones(length, dtype: ScalarType.Float32) / size;
        Tensor ids = (parts.cumsum(0) - parts + 1 - 1).floor();
        return ids.clamp_max((length / size) - 1).to_type(ScalarType.Int64).data<long>().ToArray();
    }
}
