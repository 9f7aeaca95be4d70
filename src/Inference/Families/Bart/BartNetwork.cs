using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Bart;

/// <summary>
/// The weights of a BART (Lewis et al. 2019, arXiv 1910.13461), by their names in models/bart/modeling_bart.py of
/// transformers, which the families after it kept. A forward pass computes on them: norms after each block in
/// <see cref="BartForwardPass"/>, before each in <see cref="Mbart.MbartForwardPass"/>.
/// </summary>
// model.shared                         [vocabulary, model]
// model.encoder.embed_positions          [offset + positions, model], or computed; layernorm_embedding, layer_norm: where the variant has them
// model.encoder.layers.N.self_attn         q_proj, k_proj, v_proj, out_proj, each weight [model, model] and bias [model]
//                        fc1, fc2            [feed-forward, model], [model, feed-forward], and biases
//                        self_attn_layer_norm, final_layer_norm
// model.decoder.layers.N: likewise, with encoder_attn and encoder_attn_layer_norm between
// lm_head [vocabulary, model], or shared; final_logits_bias [1, vocabulary], or zeros
internal class BartNetwork(
    BartConfiguration configuration,
    BartVariant variant,
    WeightScope weights,
    NetworkOptions options
)
    : BartNetwork<BartEncoderLayer, BartDecoderLayer>(
        configuration,
        variant,
        weights,
        options,
        (take, layer, _) => take.EncoderLayer(layer),
        (take, layer, _) => take.DecoderLayer(layer)
    )
{
    private readonly BartVariant _variant = variant;

    public override IForwardPass CreateForwardPass() => _variant.CreateForwardPass(this);
}

/// <summary>The weights of a BART whose layers may be a family's own.</summary>
internal abstract class BartNetwork<TEncoderLayer, TDecoderLayer> : INetwork
    where TEncoderLayer : IDisposable
    where TDecoderLayer : IDisposable
{
    /// <param name="configuration">Sizes and kinds.</param>
    /// <param name="variant">Which of the optional parts there are.</param>
    /// <param name="weights">Where all weights are taken from.</param>
    /// <param name="options">Device and compute type.</param>
    /// <param name="takeEncoderLayer">Takes a layer, given its scope and its number.</param>
    /// <param name="takeDecoderLayer">Likewise.</param>
    protected BartNetwork(
        BartConfiguration configuration,
        BartVariant variant,
        WeightScope weights,
        NetworkOptions options,
        Func<BartWeights, WeightScope, int, TEncoderLayer> takeEncoderLayer,
        Func<BartWeights, WeightScope, int, TDecoderLayer> takeDecoderLayer
    )
    {
        using DisposeScope scope = NewDisposeScope();
        Configuration = configuration;
        Shape = new NetworkShape
        {
            Device = options.Device,
            VocabularySize = configuration.VocabularySize,
            SourceVocabularySize = configuration.SourceVocabularySize,
            DecoderLayers = configuration.DecoderLayers,
            CacheWidth = 2 * configuration.ModelWidth,
            MemoryWidth = 2 * configuration.ModelWidth,
            HasGlobalAttention = variant.HasGlobalAttention,
            StartsTargetsFromTheirEnd = variant.StartsTargetsFromTheirEnd,
            MaxSourceTokens = variant.HasEndlessPositions ? null : configuration.MaxSourcePositions,
            MaxTargetTokens = variant.HasEndlessPositions ? null : configuration.MaxTargetPositions,
        };

        BartWeights take = new(configuration, variant, weights, options);
        VocabularyHead head = take.Head();
        Head = new OutputProjection(head.Layer);
        Encoder = take.Encoder(head, (layer, index) => takeEncoderLayer(take, layer, index));
        Decoder = take.Decoder(head, (layer, index) => takeDecoderLayer(take, layer, index));
    }

    public BartConfiguration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.GenerationDefaults;

    public BartStack<TEncoderLayer> Encoder { get; }

    public BartStack<TDecoderLayer> Decoder { get; }

    /// <summary>Model width → vocabulary.</summary>
    public OutputProjection Head { get; }

    public abstract IForwardPass CreateForwardPass();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Encoder.Dispose();
        Decoder.Dispose();
        Head.Dispose();
    }
}

/// <summary>The encoder or the decoder: embeddings, layers and, where the variant has them, norms at both ends.</summary>
internal sealed record BartStack<TLayer>(
    Embedding Tokens,
    Embedding? Positions,
    LayerNorm? EmbeddingNorm,
    IReadOnlyList<TLayer> Layers,
    LayerNorm? FinalNorm
) : IDisposable
    where TLayer : IDisposable
{
    public void Dispose()
    {
        Tokens.Dispose();
        Positions?.Dispose();
        EmbeddingNorm?.Dispose();
        foreach (TLayer layer in Layers)
        {
            layer.Dispose();
        }

        FinalNorm?.Dispose();
    }
}

internal sealed record BartSelfAttention(Linear QueryKeyValue, Linear Output, LayerNorm Norm) : IDisposable
{
    public void Dispose()
    {
        QueryKeyValue.Dispose();
        Output.Dispose();
        Norm.Dispose();
    }
}

/// <summary>Attention to the source.</summary>
internal sealed record BartCrossAttention(Linear Query, Linear KeyValue, Linear Output, LayerNorm Norm) : IDisposable
{
    public void Dispose()
    {
        Query.Dispose();
        KeyValue.Dispose();
        Output.Dispose();
        Norm.Dispose();
    }
}

internal sealed record BartFeedForward(Linear Input, Linear Output, LayerNorm Norm) : IDisposable
{
    public void Dispose()
    {
        Input.Dispose();
        Output.Dispose();
        Norm.Dispose();
    }
}

internal sealed record BartEncoderLayer(BartSelfAttention SelfAttention, BartFeedForward FeedForward) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        FeedForward.Dispose();
    }
}

internal sealed record BartDecoderLayer(
    BartSelfAttention SelfAttention,
    BartCrossAttention CrossAttention,
    BartFeedForward FeedForward
) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        CrossAttention.Dispose();
        FeedForward.Dispose();
    }
}
