namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>What the tokens of a line see beside its tokens: keys of their own, such as summaries of its blocks.</summary>
/// <param name="Projected">Queries (unused), keys and values, <c>[side keys, width + 2 × key width]</c>, line after line.</param>
/// <param name="Starts"><c>[lines + 1]</c>: first side key of each line, and their number.</param>
/// <param name="Positions"><c>[tokens]</c>: where each token stands among its line's side keys, for the bias.</param>
/// <param name="Bias">By distance from that place to a side key.</param>
internal sealed record SideKeys(Rows Projected, int[] Starts, int[] Positions, PositionBias Bias);
