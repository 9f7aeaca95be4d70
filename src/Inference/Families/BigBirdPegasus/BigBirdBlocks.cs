using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.BigBirdPegasus;

/// <summary>
/// BigBird's pattern of attention (Zaheer et al. 2020, arXiv 2007.14062, section 2), in blocks of tokens: the first and the
/// last block see all and are seen by all, the others see their neighbours and some more.
/// </summary>
/// <param name="Size">Tokens of a block.</param>
/// <param name="Random">Blocks that are drawn at random in training.</param>
// In inference transformers 5.17 draws nothing: every random block is block 0, so that its tokens weigh once more for each.
internal sealed record BigBirdBlocks(int Size, int Random)
{
    /// <summary>Longest line whose tokens all see each other: two global, three near and twice the random blocks.</summary>
    public long LongestFullLine => (5 + (2L * Random)) * Size;

    /// <summary>Adds a line's groups.</summary>
    /// <param name="pattern">The batch's pattern.</param>
    /// <param name="start">The line's first token.</param>
    /// <param name="length">Tokens of the line; its last block may be shorter than the others.</param>
    public void AddLine(AttentionPattern pattern, int start, int length)
    {
        if (length <= LongestFullLine)
        {
            pattern.Begin(start, length);
            pattern.See(start, length);
            return;
        }

        int blocks = (length + Size - 1) / Size;
        for (int block = 0; block < blocks; block++)
        {
            pattern.Begin(start + (block * Size), Length(block));
            if (block == 0 || block == blocks - 1)
            {
                pattern.See(start, length);
                continue;
            }

            // The first and the last block are global, and once only where they are neighbours too.
            See(0);
            for (int near = Math.Max(1, block - 1); near <= Math.Min(blocks - 2, block + 1); near++)
            {
                See(near);
            }

            See(blocks - 1);
            for (int i = 0; i < Random; i++)
            {
                See(0);
            }
        }

        void See(int block) => pattern.See(start + (block * Size), Length(block));
        int Length(int block) => Math.Min(Size, length - (block * Size));
    }
}
