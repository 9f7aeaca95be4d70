using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.PegasusX;

/// <summary>
/// PEGASUS-X's pattern of attention (Phang et al. 2022, arXiv 2208.04347, section 3): a token sees its block and the line's
/// global tokens, a global token sees the global tokens and the whole line; in every second layer blocks are staggered by
/// half of their size.
/// </summary>
/// <param name="Size">Tokens of a block.</param>
/// <param name="GlobalTokens">Global tokens of a line.</param>
/// <param name="IsStaggered">Whether every second layer's blocks are shifted.</param>
internal sealed record PegasusXBlocks(int Size, int GlobalTokens, bool IsStaggered)
{
    /// <summary>Fills a pattern for rows that are the lines' tokens, then each line's global tokens.</summary>
    public void Fill(AttentionPattern pattern, SourceBatch source, int layer)
    {
        // A staggered layer's first block begins half a block before the line.
        int shift = IsStaggered && layer % 2 == 1 ? Size / 2 : 0;
        pattern.Clear();
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            int length = source.Starts[line + 1] - start;
            int globals = source.Tokens + (line * GlobalTokens);
            pattern.Begin(globals, GlobalTokens);
            pattern.See(globals, GlobalTokens);
            pattern.See(start, length);
            for (int first = -shift; first < length; first += Size)
            {
                int begin = Math.Max(0, first);
                int end = Math.Min(length, first + Size);
                pattern.Begin(start + begin, end - begin);
                pattern.See(globals, GlobalTokens);
                pattern.See(start + begin, end - begin);
            }
        }
    }
}
