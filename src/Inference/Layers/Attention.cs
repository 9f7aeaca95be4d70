using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Scaled dot-product attention with several heads (Vaswani et al. 2017, arXiv 1706.03762) over rows of different
/// lengths: <c>softmax(scale · q kᵀ + bias) v</c>. The kernel is chosen once, from the device.
/// </summary>
internal abstract class Attention(int heads, int headWidth, float scale)
{
    public int Heads { get; } = heads;

    public int HeadWidth { get; } = headWidth;

    /// <summary>Width of the queries, the keys and the values: heads · head width.</summary>
    public int Width { get; } = heads * headWidth;

    /// <summary>What the products are multiplied by: <c>1 / √head width</c> in most families, 1 in T5.</summary>
    public float Scale { get; } = scale;

    public static Attention Create(int heads, int headWidth, double scale, Device device) =>
        device.type == DeviceType.CPU && Avx2.IsSupported && Fma.IsSupported
            ? new CpuAttention(heads, headWidth, (float)scale)
            : new TorchAttention(heads, headWidth, (float)scale);

    /// <summary>Encoder: the tokens of each line attend to each other.</summary>
    /// <param name="projections"><c>[queries | keys | values]</c> of the tokens of all lines, end to end.</param>
    /// <param name="lines">A plan of <see cref="AttentionPlan.AddLine"/>.</param>
    /// <param name="bias">Added to the scores, or null.</param>
    /// <param name="output">Resized to <c>[tokens, width]</c>.</param>
    public abstract void Encode(Rows projections, AttentionPlan lines, DistanceBias? bias, Rows output);

    /// <summary>Decoder, self-attention: stores the rows' keys and values, then attends to every position so far.</summary>
    /// <param name="projections"><c>[queries | keys | values]</c> of the step's rows.</param>
    /// <param name="cache">Keys and values of the decoder's tokens.</param>
    /// <param name="layer">Layer in the cache.</param>
    /// <param name="hypotheses">A plan of <see cref="AttentionPlan.AddHypothesis"/>.</param>
    /// <param name="bias">Added to the scores, or null.</param>
    /// <param name="output">Resized to <c>[rows, width]</c>.</param>
    public abstract void Decode(
        Rows projections,
        KeyValueCache cache,
        int layer,
        AttentionPlan hypotheses,
        DistanceBias? bias,
        Rows output
    );

    /// <summary>Decoder, cross-attention: attends to the source's tokens.</summary>
    /// <param name="queries">Queries of the step's rows.</param>
    /// <param name="cache">Keys and values of the source's tokens.</param>
    /// <param name="layer">Layer in the cache.</param>
    /// <param name="sources">A plan of <see cref="AttentionPlan.AddSource"/>.</param>
    /// <param name="output">Resized to <c>[rows, width]</c>.</param>
    public abstract void Cross(Rows queries, KeyValueCache cache, int layer, AttentionPlan sources, Rows output);

    protected void Check(Rows rows, int width, AttentionPlan plan, DistanceBias? bias, Rows output)
    {
        if (rows.Width != width || rows.Count != plan.RowCount || output.Width != Width)
        {
            throw new ArgumentException(
                $"Attention of {Heads} × {HeadWidth} over {plan.RowCount} rows can't take [{rows.Count}, {rows.Width}] to "
                    + $"[{output.Count}, {output.Width}]; expected [{plan.RowCount}, {width}] to width {Width}.",
                nameof(rows)
            );
        }

        if (bias is not null && bias.Heads != Heads)
        {
            throw new ArgumentException($"A bias for {bias.Heads} heads can't serve {Heads}.", nameof(bias));
        }

        output.Resize(rows.Count);
    }

    protected void Check(KeyValueCache cache, AttentionPlan plan)
    {
        if (cache.Width != Width || plan.MaxSlot >= cache.Capacity)
        {
            throw new ArgumentException(
                $"A cache of {cache.Capacity} slots of width {cache.Width} can't serve width {Width} and slot {plan.MaxSlot}.",
                nameof(cache)
            );
        }
    }
}
