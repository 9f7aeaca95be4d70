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
internal sealed class BartNetwork : INetwork
{
    private readonly BartVariant _variant;

    public BartNetwork(
        BartConfiguration configuration,
        BartVariant variant,
        WeightScope weights,
        NetworkOptions options
    )
    {
        using DisposeScope scope = NewDisposeScope();
        _variant = variant;
        Configuration = configuration;
        Shape = ShapeOf(configuration, variant, options);
        BartWeights take = new(configuration, variant, weights, options);
        Encoder = take.Encoder();
        Decoder = take.Decoder();
        Head = take.Head(Encoder.Tokens, Decoder.Tokens);
    }

    public BartConfiguration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.GenerationDefaults;

    public BartStack<BartEncoderLayer> Encoder { get; }

    public BartStack<BartDecoderLayer> Decoder { get; }

    /// <summary>Model width → vocabulary.</summary>
    public Linear Head { get; }

    public static NetworkShape ShapeOf(BartConfiguration configuration, BartVariant variant, NetworkOptions options) =>
        new()
        {
            Device = options.Device,
            VocabularySize = configuration.VocabularySize,
            SourceVocabularySize = configuration.SourceVocabularySize,
            DecoderLayers = configuration.DecoderLayers,
            CacheWidth = 2 * configuration.ModelWidth,
            MemoryWidth = 2 * configuration.ModelWidth,
            StartsTargetsFromTheirEnd = variant.StartsTargetsFromTheirEnd,
            MaxSourceTokens = variant.HasEndlessPositions ? null : configuration.MaxSourcePositions,
            MaxTargetTokens = variant.HasEndlessPositions ? null : configuration.MaxTargetPositions,
        };

    public IForwardPass CreateForwardPass() => _variant.CreateForwardPass(this);

    public void Dispose()
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
