using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>
/// Gemma's sub-layers, on the working memory that one half, encoder or decoder, has in a forward pass: each is
/// x = x + norm(f(norm(x))) on the hidden states. The two halves need not have the same shape. Not thread-safe.
/// </summary>
internal sealed class GemmaSublayers(GemmaHalf half, Device device) : IDisposable
{
    private readonly RotaryPositions _fullPositions = Positions(half, half.FullRope, device);
    private readonly RotaryPositions _slidingPositions = Positions(half, half.SlidingRope, device);
    private readonly Rows _query = new(half.QueryWidth, device);
    private readonly Rows _gateAndUp = new(2 * half.FeedForwardWidth, device);
    private readonly Rows _wide = new(half.FeedForwardWidth, device);
    private readonly Rows _logits = new(half.VocabularySize, device);

    public MultiHeadAttention Attention { get; } =
        MultiHeadAttention.Create(half.Heads, half.KeyHeads, half.HeadWidth, half.Scale, device);

    /// <summary>The sum that runs through all layers, <c>[rows, model width]</c>.</summary>
    public Rows Hidden { get; } = new(half.ModelWidth, device);

    /// <summary>The hidden states after the latest norm, <c>[rows, model width]</c>.</summary>
    public Rows Normed { get; } = new(half.ModelWidth, device);

    /// <summary>What <see cref="Project"/> made, <c>[rows, query width + 2 × key width]</c>.</summary>
    public Rows QueryKeyValue { get; } = new(half.ProjectedWidth, device);

    /// <summary>Keys and values of the source, for <see cref="MultiHeadAttention.Remember"/>, <c>[tokens, 2 × key width]</c>.</summary>
    public Rows SourceKeyValue { get; } = new(2 * half.KeyWidth, device);

    /// <summary>What attention made, for <see cref="AddContext(GemmaSelfAttention)"/>, <c>[rows, query width]</c>.</summary>
    public Rows Context { get; } = new(half.QueryWidth, device);

    /// <summary>First half of a self-attention: queries, keys and values of the normed states.</summary>
    public void Project(GemmaSelfAttention layer)
    {
        layer.NormBefore.Forward(Hidden, Normed);
        layer.QueryKeyValue.Forward(Normed, QueryKeyValue);
    }

    /// <summary>Turns queries and keys, which lie side by side, by their positions.</summary>
    public void Turn(ReadOnlySpan<int> positions, int layer)
    {
        RotaryPositions rotary = half.IsSliding[layer] ? _slidingPositions : _fullPositions;
        rotary.Apply(QueryKeyValue, column: 0, half.Heads + half.KeyHeads, positions);
    }

    /// <summary>Last half of a self-attention: the context goes into the hidden states.</summary>
    public void AddContext(GemmaSelfAttention layer) => AddNormed(layer.Output, Context, layer.NormAfter);

    /// <summary>The decoder's attention to the source.</summary>
    public void Recall(GemmaCrossAttention layer, DecoderBatch batch, int index)
    {
        layer.NormBefore.Forward(Hidden, Normed);
        layer.Query.Forward(Normed, _query);
        Attention.Recall(_query, batch, index, Context);
        AddNormed(layer.Output, Context, layer.NormAfter);
    }

    public void FeedForward(GemmaFeedForward layer)
    {
        layer.NormBefore.Forward(Hidden, Normed);
        layer.GateAndUp.Forward(Normed, _gateAndUp);
        half.Activation.Gate(_gateAndUp, _wide);
        AddNormed(layer.Down, _wide, layer.NormAfter);
    }

    /// <summary>The hidden states after the norm at the end of a stack.</summary>
    public Rows Finish(RmsNorm norm)
    {
        norm.Forward(Hidden, Normed);
        return Normed;
    }

    /// <summary>Logits of the finished states, <c>[rows, vocabulary]</c>.</summary>
    /// <param name="head">Model width → vocabulary, divided by the cap of logits.</param>
    public Rows Logits(Linear head)
    {
        if (half.LogitSoftCap is { } cap)
        {
            head.Forward(Normed, _logits, Activation.Tanh);
            _logits.Multiply((float)cap);
        }
        else
        {
            head.Forward(Normed, _logits);
        }

        return _logits;
    }

    public void Dispose()
    {
        _fullPositions.Dispose();
        _slidingPositions.Dispose();
        Attention.Dispose();
        foreach (
            Rows rows in (Rows[])
                [Hidden, Normed, QueryKeyValue, SourceKeyValue, Context, _query, _gateAndUp, _wide, _logits]
        )
        {
            rows.Dispose();
        }
    }

    private void AddNormed(Linear output, Rows from, RmsNorm norm)
    {
        output.Forward(from, Normed);
        norm.Forward(Normed, Normed);
        Hidden.Add(Normed);
    }

    private static RotaryPositions Positions(GemmaHalf half, GemmaRope rope, Device device) =>
        new(half.HeadWidth, rope.Theta, rope.Factor, device);
}
