using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Bart;

/// <summary>
/// The sub-layers of a Transformer with biases and layer norms (Vaswani et al. 2017, arXiv 1706.03762, section 3.1), on the
/// working memory that an encoder or a decoder has in a forward pass: each adds to the hidden states. Where its norm stands
/// is a matter of <see cref="PostNormSublayers"/> and <see cref="Mbart.PreNormSublayers"/>. Not thread-safe.
/// </summary>
internal abstract class BartSublayers : IDisposable
{
    private readonly Activation _activation;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _wide;

    protected BartSublayers(BartSublayerShape shape, Device device)
    {
        _activation = shape.Activation;
        Attention = MultiHeadAttention.Create(shape.Heads, shape.Width / shape.Heads, shape.Scale, device);
        Hidden = new Rows(shape.Width, device);
        QueryKeyValue = new Rows(3 * shape.Width, device);
        Context = new Rows(shape.Width, device);
        _query = new Rows(shape.Width, device);
        _keyValue = new Rows(2 * shape.Width, device);
        _wide = new Rows(shape.FeedForwardWidth, device);
    }

    public MultiHeadAttention Attention { get; }

    /// <summary>The sum that runs through all layers, <c>[rows, width]</c>.</summary>
    public Rows Hidden { get; }

    /// <summary>What <see cref="Project"/> made, <c>[rows, 3 × width]</c>.</summary>
    public Rows QueryKeyValue { get; }

    /// <summary>What attention made, for <see cref="AddContext"/>, <c>[rows, width]</c>.</summary>
    public Rows Context { get; }

    /// <summary>Self-attention of the encoder over whole lines, or over what a window of them shows.</summary>
    public void Attend(BartSelfAttention layer, SourceBatch source, AttentionWindow? window = null)
    {
        Project(layer);
        Attention.Encode(QueryKeyValue, source, bias: null, Context, window);
        AddContext(layer);
    }

    /// <summary>Self-attention of the decoder over the sequences so far.</summary>
    public void Attend(BartSelfAttention layer, DecoderBatch batch, int index)
    {
        Project(layer);
        Attention.Decode(QueryKeyValue, batch, index, bias: null, Context);
        AddContext(layer);
    }

    /// <summary>First half of a self-attention: queries, keys and values.</summary>
    public void Project(BartSelfAttention layer) => layer.QueryKeyValue.Forward(Enter(layer.Norm), QueryKeyValue);

    /// <summary>Last half of a self-attention: the context goes into the hidden states.</summary>
    public void AddContext(BartSelfAttention layer)
    {
        layer.Output.Forward(Context, Hidden, accumulate: true);
        Leave(layer.Norm);
    }

    /// <summary>Keeps keys and values of the encoder's states for a layer of the decoder.</summary>
    public void Remember(BartCrossAttention layer, Rows states, SourceBatch source, int index)
    {
        layer.KeyValue.Forward(states, _keyValue);
        Attention.Remember(_keyValue, source, index);
    }

    /// <summary>The decoder's attention to the source.</summary>
    public void Recall(BartCrossAttention layer, DecoderBatch batch, int index)
    {
        layer.Query.Forward(Enter(layer.Norm), _query);
        Attention.Recall(_query, batch, index, Context);
        layer.Output.Forward(Context, Hidden, accumulate: true);
        Leave(layer.Norm);
    }

    public void FeedForward(BartFeedForward layer)
    {
        layer.Input.Forward(Enter(layer.Norm), _wide, _activation);
        layer.Output.Forward(_wide, Hidden, accumulate: true);
        Leave(layer.Norm);
    }

    /// <summary>Keeps keys and values of the encoder's states for every layer of the decoder.</summary>
    public void Remember(IReadOnlyList<BartDecoderLayer> layers, Rows states, SourceBatch source)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            Remember(layers[i].CrossAttention, states, source, i);
        }
    }

    /// <summary>The decoder's layers on the hidden states of a step.</summary>
    public void Decode(IReadOnlyList<BartDecoderLayer> layers, DecoderBatch batch)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            Attend(layers[i].SelfAttention, batch, i);
            Recall(layers[i].CrossAttention, batch, i);
            FeedForward(layers[i].FeedForward);
        }
    }

    /// <summary>What a sub-layer with this norm computes on.</summary>
    public abstract Rows Enter(LayerNorm norm);

    /// <summary>Follows the sum of hidden states and what the sub-layer made.</summary>
    protected abstract void Leave(LayerNorm norm);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Attention.Dispose();
        foreach (Rows rows in (Rows[])[Hidden, QueryKeyValue, Context, _query, _keyValue, _wide])
        {
            rows.Dispose();
        }
    }
}

/// <summary>Sizes of the sub-layers of an encoder or a decoder.</summary>
/// <param name="Width">Of the hidden states.</param>
/// <param name="Heads">Of attention; they divide the width.</param>
/// <param name="FeedForwardWidth">Between the two linear layers of a feed-forward.</param>
/// <param name="Activation">Between them.</param>
internal sealed record BartSublayerShape(int Width, int Heads, int FeedForwardWidth, Activation Activation)
{
    /// <summary>Factor of attention scores.</summary>
    public double Scale { get; init; } = Math.Pow(Width / Heads, -0.5);
}
