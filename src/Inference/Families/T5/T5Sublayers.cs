using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>
/// T5's sub-layers, which other families stack in their own ways, on the working memory of one forward pass: each is
/// x = x + f(norm(x)) on the hidden states. Not thread-safe.
/// </summary>
internal sealed class T5Sublayers(T5Configuration configuration, Device device) : IDisposable
{
    private readonly Rows _query = new(configuration.InnerWidth, device);
    private readonly Rows _keyValue = new(2 * configuration.InnerWidth, device);
    private readonly Rows _gateAndUp = new(2 * configuration.FeedForwardWidth, device);
    private readonly Rows _wide = new(configuration.FeedForwardWidth, device);
    private readonly Rows _logits = new(configuration.VocabularySize, device);

    public MultiHeadAttention Attention { get; } =
        MultiHeadAttention.Create(configuration.Heads, configuration.HeadWidth, scale: 1, device);

    /// <summary>The sum that runs through all layers, <c>[rows, model width]</c>.</summary>
    public Rows Hidden { get; } = new(configuration.ModelWidth, device);

    /// <summary>The hidden states after the latest norm, <c>[rows, model width]</c>.</summary>
    public Rows Normed { get; } = new(configuration.ModelWidth, device);

    /// <summary>What <see cref="Project"/> made, <c>[rows, 3 × inner width]</c>.</summary>
    public Rows QueryKeyValue { get; } = new(3 * configuration.InnerWidth, device);

    /// <summary>What attention made, for <see cref="AddContext"/>, <c>[rows, inner width]</c>.</summary>
    public Rows Context { get; } = new(configuration.InnerWidth, device);

    /// <summary>Biases of attention by distance, from a table <c>[buckets, heads]</c>.</summary>
    public PositionBias Bias(Tensor table, bool isBidirectional) =>
        new(
            distances =>
                T5Buckets.Bias(
                    table,
                    distances,
                    isBidirectional,
                    configuration.BiasBuckets,
                    configuration.BiasMaxDistance
                ),
            device
        );

    /// <summary>Self-attention of the encoder over whole lines.</summary>
    public void Attend(T5SelfAttention layer, SourceBatch source, PositionBias bias)
    {
        Project(layer);
        Attention.Encode(QueryKeyValue, source, bias, Context);
        AddContext(layer);
    }

    /// <summary>Self-attention of the decoder over the sequences so far.</summary>
    public void Attend(T5SelfAttention layer, DecoderBatch batch, int index, PositionBias bias)
    {
        Project(layer);
        Attention.Decode(QueryKeyValue, batch, index, bias, Context);
        AddContext(layer);
    }

    /// <summary>First half of a self-attention: queries, keys and values of the normed states.</summary>
    public void Project(T5SelfAttention layer)
    {
        layer.Norm.Forward(Hidden, Normed);
        layer.QueryKeyValue.Forward(Normed, QueryKeyValue);
    }

    /// <summary>Last half of a self-attention: the context goes into the hidden states.</summary>
    public void AddContext(T5SelfAttention layer) => layer.Output.Forward(Context, Hidden, accumulate: true);

    /// <summary>Keeps keys and values of the encoder's normed states for a layer of the decoder.</summary>
    public void Remember(T5CrossAttention layer, SourceBatch source, int index)
    {
        layer.KeyValue.Forward(Normed, _keyValue);
        Attention.Remember(_keyValue, source, index);
    }

    /// <summary>The decoder's attention to the source.</summary>
    public void Recall(T5CrossAttention layer, DecoderBatch batch, int index)
    {
        layer.Norm.Forward(Hidden, Normed);
        layer.Query.Forward(Normed, _query);
        Attention.Recall(_query, batch, index, Context);
        layer.Output.Forward(Context, Hidden, accumulate: true);
    }

    public void FeedForward(T5FeedForward layer)
    {
        layer.Norm.Forward(Hidden, Normed);
        if (layer.IsGated)
        {
            layer.Input.Forward(Normed, _gateAndUp);
            configuration.Activation.Gate(_gateAndUp, _wide);
        }
        else
        {
            layer.Input.Forward(Normed, _wide, configuration.Activation);
        }

        layer.Output.Forward(_wide, Hidden, accumulate: true);
    }

    /// <summary>The hidden states after the norm at the end of a stack.</summary>
    public Rows Finish(RmsNorm norm)
    {
        norm.Forward(Hidden, Normed);
        return Normed;
    }

    /// <summary>Logits of the decoder's finished states, <c>[rows, vocabulary]</c>.</summary>
    public Rows Logits(OutputProjection head, DecoderBatch batch)
    {
        head.Forward(Normed, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        Attention.Dispose();
        foreach (
            Rows rows in (Rows[])[Hidden, Normed, QueryKeyValue, Context, _query, _keyValue, _gateAndUp, _wide, _logits]
        )
        {
            rows.Dispose();
        }
    }
}
