using Seq2Seq.Inference.Layers.Kernels;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>The tokens that a token sees in its line: itself, some before it and some after it.</summary>
internal readonly record struct AttentionWindow(int Before, int After)
{
    /// <summary>Itself and all before it.</summary>
    public static AttentionWindow Causal { get; } = new(AttentionGroup.Unlimited, After: 0);
}
