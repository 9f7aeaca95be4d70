using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>
/// The weights of a T5 (Raffel et al. 2020, arXiv 1910.10683; umT5: Chung et al. 2023, arXiv 2304.09151), by their names in
/// models/t5/modeling_t5.py of transformers. <see cref="T5ForwardPass"/> computes on them.
/// </summary>
// shared                                [vocabulary, model]
// encoder.block.N.layer.0.SelfAttention   q, k, v [inner, model], o [model, inner], relative_attention_bias [buckets, heads]
//                 layer.1.DenseReluDense  wi [feed-forward, model] or wi_0 (activated) and wi_1 (linear), wo [model, feed-forward]
// decoder.block.N.layer.0.SelfAttention, layer.1.EncDecAttention, layer.2.DenseReluDense: likewise
// every layer.M.layer_norm, encoder and decoder.final_layer_norm [model]; lm_head [vocabulary, model], or shared
internal sealed class T5Network(
    T5Configuration configuration,
    ModelConfiguration folder,
    WeightScope weights,
    NetworkOptions options
)
    : T5Network<T5EncoderLayer, T5DecoderLayer>(
        configuration,
        folder,
        weights,
        options,
        (take, block, index) => take.EncoderLayer(block, index),
        (take, block, index) => take.DecoderLayer(block, index)
    )
{
    public override IForwardPass CreateForwardPass() => new T5ForwardPass(this);
}

/// <summary>The weights of a T5 whose layers may be a family's own.</summary>
internal abstract class T5Network<TEncoderLayer, TDecoderLayer> : INetwork
    where TEncoderLayer : IDisposable
    where TDecoderLayer : IDisposable
{
    /// <param name="configuration">Sizes and kinds.</param>
    /// <param name="folder">The file they were read from.</param>
    /// <param name="weights">Where all weights are taken from.</param>
    /// <param name="options">Device and compute type.</param>
    /// <param name="takeEncoderLayer">Takes a layer, given its block's scope and its number.</param>
    /// <param name="takeDecoderLayer">Likewise.</param>
    /// <param name="mayTieHead">Whether the token embeddings may serve for the vocabulary projection.</param>
    protected T5Network(
        T5Configuration configuration,
        ModelConfiguration folder,
        WeightScope weights,
        NetworkOptions options,
        Func<T5Weights, WeightScope, int, TEncoderLayer> takeEncoderLayer,
        Func<T5Weights, WeightScope, int, TDecoderLayer> takeDecoderLayer,
        bool mayTieHead = true
    )
    {
        using DisposeScope scope = NewDisposeScope();
        Configuration = configuration;
        Shape = new NetworkShape
        {
            Device = options.Device,
            VocabularySize = configuration.VocabularySize,
            DecoderLayers = configuration.DecoderLayers,
            CacheWidth = 2 * configuration.InnerWidth,
            MemoryWidth = 2 * configuration.InnerWidth,
        };

        T5Weights take = new(configuration, folder, weights, options.ComputeType);
        VocabularyHead head = take.Head(mayTieHead);
        Head = new OutputProjection(head.Layer);
        Encoder = take.Encoder(head, (block, index) => takeEncoderLayer(take, block, index));
        Decoder = take.Decoder(head, (block, index) => takeDecoderLayer(take, block, index));
    }

    public T5Configuration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.GenerationDefaults;

    public T5Stack<TEncoderLayer> Encoder { get; }

    public T5Stack<TDecoderLayer> Decoder { get; }

    /// <summary>Model width → vocabulary.</summary>
    public OutputProjection Head { get; }

    public abstract IForwardPass CreateForwardPass();

    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        Head.Dispose();
    }
}

/// <summary>The encoder or the decoder: embeddings, layers and the norm at the end.</summary>
internal sealed record T5Stack<TLayer>(Embedding Tokens, IReadOnlyList<TLayer> Layers, RmsNorm FinalNorm) : IDisposable
    where TLayer : IDisposable
{
    public void Dispose()
    {
        Tokens.Dispose();
        foreach (TLayer layer in Layers)
        {
            layer.Dispose();
        }

        FinalNorm.Dispose();
    }
}

/// <summary>Self-attention with its norm before it. <see cref="Bias"/> is <c>[buckets, heads]</c>, in the first layer or in each.</summary>
internal sealed record T5SelfAttention(RmsNorm Norm, Linear QueryKeyValue, Linear Output, Tensor? Bias) : IDisposable
{
    public void Dispose()
    {
        Norm.Dispose();
        QueryKeyValue.Dispose();
        Output.Dispose();
        Bias?.Dispose();
    }
}

/// <summary>Attention to the source, with its norm before it.</summary>
internal sealed record T5CrossAttention(RmsNorm Norm, Linear Query, Linear KeyValue, Linear Output) : IDisposable
{
    public void Dispose()
    {
        Norm.Dispose();
        Query.Dispose();
        KeyValue.Dispose();
        Output.Dispose();
    }
}

/// <summary>Feed-forward with its norm before it; a gated one's input is the activated half, then the linear one.</summary>
internal sealed record T5FeedForward(RmsNorm Norm, Linear Input, bool IsGated, Linear Output) : IDisposable
{
    public void Dispose()
    {
        Norm.Dispose();
        Input.Dispose();
        Output.Dispose();
    }
}

internal sealed record T5EncoderLayer(T5SelfAttention SelfAttention, T5FeedForward FeedForward) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        FeedForward.Dispose();
    }
}

internal sealed record T5DecoderLayer(
    T5SelfAttention SelfAttention,
    T5CrossAttention CrossAttention,
    T5FeedForward FeedForward
) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        CrossAttention.Dispose();
        FeedForward.Dispose();
    }
}
