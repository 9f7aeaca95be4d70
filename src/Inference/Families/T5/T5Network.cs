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
internal sealed class T5Network : INetwork
{
    public T5Network(
        T5Configuration configuration,
        ModelConfiguration folder,
        WeightScope weights,
        NetworkOptions options
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
        Encoder = take.Encoder(take.EncoderLayer);
        Decoder = take.Decoder(take.DecoderLayer);
        Head = new OutputProjection(take.Head());
    }

    public T5Configuration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.GenerationDefaults;

    public T5Stack<T5EncoderLayer> Encoder { get; }

    public T5Stack<T5DecoderLayer> Decoder { get; }

    /// <summary>Model width → vocabulary.</summary>
    public OutputProjection Head { get; }

    public IForwardPass CreateForwardPass() => new T5ForwardPass(this);

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
