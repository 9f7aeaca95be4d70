using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// Scaled dot-product attention <c>softmax(q kᵀ · scale + bias) v</c> (Vaswani et al. 2017, arXiv 1706.03762) over lines
/// laid end to end and over the caches of a decoder step. A row of one line never sees another. Belongs to one forward
/// pass: not thread-safe. Heads of keys may be fewer than of queries: each then serves a group of queries' heads (Ainslie
/// et al. 2023, arXiv 2305.13245).
/// </summary>
// Projections come fused: a row is [query | key | value], the query [heads × head width], the others [key heads × head width].
internal abstract class MultiHeadAttention : IDisposable
{
    protected MultiHeadAttention(int heads, int keyHeads, int headWidth, double scale)
    {
        if (heads % keyHeads != 0)
        {
            throw new ArgumentException($"{heads} heads can't share {keyHeads} heads of keys.", nameof(keyHeads));
        }

        Heads = heads;
        KeyHeads = keyHeads;
        HeadWidth = headWidth;
        Scale = (float)scale;
    }

    public int Heads { get; }

    public int KeyHeads { get; }

    public int HeadWidth { get; }

    /// <summary>Width of all heads together: of a query and the result.</summary>
    public int Width => Heads * HeadWidth;

    /// <summary>Width of a key and of a value.</summary>
    public int KeyWidth => KeyHeads * HeadWidth;

    protected int ProjectedWidth => Width + (2 * KeyWidth);

    protected float Scale { get; }

    public static MultiHeadAttention Create(int heads, int headWidth, double scale, Device device) =>
        Create(heads, heads, headWidth, scale, device);

    public static MultiHeadAttention Create(int heads, int keyHeads, int headWidth, double scale, Device device) =>
        device.type == TorchSharp.DeviceType.CPU && Avx2.IsSupported && Fma.IsSupported
            ? new CpuAttention(heads, keyHeads, headWidth, scale)
            : new TorchAttention(heads, keyHeads, headWidth, scale);

    /// <summary>Each token attends to all tokens of its line, or to those near it.</summary>
    /// <param name="projected">Queries, keys and values, <c>[tokens, width + 2 × key width]</c>.</param>
    /// <param name="source">Where lines begin and end.</param>
    /// <param name="bias">By distance, or null.</param>
    /// <param name="context">The result, <c>[tokens, width]</c>; resized.</param>
    /// <param name="window">The tokens near it that a token sees, beside the line's global ones; null: all.</param>
    /// <param name="side">What tokens see beside the tokens of their line, where no token is global.</param>
    public abstract void Encode(
        Rows projected,
        SourceBatch source,
        PositionBias? bias,
        Rows context,
        AttentionWindow? window = null,
        SideKeys? side = null
    );

    /// <summary>Keeps the source's keys and values for a decoder layer.</summary>
    /// <param name="projected">Keys and values, <c>[tokens, 2 × key width]</c>.</param>
    /// <param name="source">Where they go.</param>
    /// <param name="layer">The decoder layer.</param>
    public abstract void Remember(Rows projected, SourceBatch source, int layer);

    /// <summary>Each row attends to its sequence so far, its new token included, whose key and value are cached.</summary>
    /// <param name="projected">Queries, keys and values, <c>[rows, width + 2 × key width]</c>.</param>
    /// <param name="batch">The step.</param>
    /// <param name="layer">The decoder layer.</param>
    /// <param name="bias">By distance, or null.</param>
    /// <param name="context">The result, <c>[rows, width]</c>; resized.</param>
    /// <param name="window">Number of tokens that a row sees, its own included; null: all.</param>
    /// <param name="withSource">Whether the row's source is attended to as well, under one softmax.</param>
    public abstract void Decode(
        Rows projected,
        DecoderBatch batch,
        int layer,
        PositionBias? bias,
        Rows context,
        int? window = null,
        bool withSource = false
    );

    /// <summary>Each row attends to its source.</summary>
    /// <param name="query">Queries, <c>[rows, width]</c>.</param>
    /// <param name="batch">The step.</param>
    /// <param name="layer">The decoder layer.</param>
    /// <param name="context">The result, <c>[rows, width]</c>; resized.</param>
    public abstract void Recall(Rows query, DecoderBatch batch, int layer, Rows context);

    /// <summary>Rows attend to those that a pattern lists.</summary>
    /// <param name="projected">Queries, keys and values, <c>[rows, width + 2 × key width]</c>.</param>
    /// <param name="pattern">Which rows see which; each row stands in one group.</param>
    /// <param name="context">The result, <c>[rows, width]</c>; resized.</param>
    public abstract void Attend(Rows projected, AttentionPattern pattern, Rows context);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) { }

    /// <summary>Refuses rows of another shape than the batch and the heads ask for, and makes room for the result.</summary>
    protected void Check(Rows rows, int width, int count, Rows? context = null)
    {
        if (rows.Width != width || rows.Count != count || (context is not null && context.Width != Width))
        {
            throw new ArgumentException(
                $"Attention of {Heads} × {HeadWidth} expects [{count}, {width}] and a result of width {Width}; found "
                    + $"[{rows.Count}, {rows.Width}] and {context?.Width}.",
                nameof(rows)
            );
        }

        context?.Resize(count);
    }
}
