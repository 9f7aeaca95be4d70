using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>
/// The weights of a T5Gemma (Zhang et al. 2025, arXiv 2504.06225), by their names in models/t5gemma/modeling_t5gemma.py of
/// transformers. <see cref="T5GemmaForwardPass"/> computes on them.
/// </summary>
// model.encoder and model.decoder.embed_tokens [vocabulary, model], norm
//   layers.N.self_attn    q_proj [queries, model], k_proj, v_proj [keys, model], o_proj [model, queries]
//            cross_attn   in the decoder; k_proj, v_proj [keys, encoder's model]
//            mlp          gate_proj, up_proj [feed-forward, model], down_proj [model, feed-forward]
//            pre_ and post_ self_attn, cross_attn, feedforward _layernorm
// lm_head.out_proj [vocabulary, model], or the decoder's embed_tokens
internal sealed class T5GemmaNetwork : INetwork
{
    public T5GemmaNetwork(T5GemmaConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        GemmaHalf encoder = configuration.Encoder;
        GemmaHalf decoder = configuration.Decoder;
        Configuration = configuration;
        Shape = new NetworkShape
        {
            Device = options.Device,
            VocabularySize = decoder.VocabularySize,
            SourceVocabularySize = encoder.VocabularySize,
            DecoderLayers = decoder.Layers,
            CacheWidth = 2 * decoder.KeyWidth,
            MemoryWidth = 2 * decoder.KeyWidth,
        };

        const string DecoderTokens = "model.decoder.embed_tokens.weight";
        string[] head = ["lm_head.out_proj.weight", DecoderTokens];
        GemmaWeights takeEncoder = new(encoder, options.ComputeType);
        GemmaWeights takeDecoder = new(decoder, options.ComputeType);
        WeightScope encoderScope = weights["model"]["encoder"];
        WeightScope decoderScope = weights["model"]["decoder"];
        EncoderTokens = new Embedding(
            encoderScope["embed_tokens"].Take("weight", encoder.VocabularySize, encoder.ModelWidth),
            Math.Sqrt(encoder.ModelWidth)
        );
        Encoder =
        [
            .. Enumerable
                .Range(0, encoder.Layers)
                .Select(index => encoderScope["layers"][index])
                .Select(layer => new T5GemmaEncoderLayer(
                    takeEncoder.SelfAttention(layer),
                    takeEncoder.FeedForward(layer)
                )),
        ];
        EncoderNorm = takeEncoder.Norm(encoderScope["norm"], encoder.ModelWidth);
        DecoderTokenEmbedding = new Embedding(
            weights.TakeTied(
                configuration.IsTied ? [DecoderTokens, head[0]] : [DecoderTokens],
                decoder.VocabularySize,
                decoder.ModelWidth
            ),
            Math.Sqrt(decoder.ModelWidth)
        );
        Decoder =
        [
            .. Enumerable
                .Range(0, decoder.Layers)
                .Select(index => decoderScope["layers"][index])
                .Select(layer => new T5GemmaDecoderLayer(
                    takeDecoder.SelfAttention(layer),
                    takeDecoder.CrossAttention(layer, encoder.ModelWidth),
                    takeDecoder.FeedForward(layer)
                )),
        ];
        DecoderNorm = takeDecoder.Norm(decoderScope["norm"], decoder.ModelWidth);
        Head = takeDecoder.Head(
            weights.TakeTied(
                configuration.IsTied ? head : head.AsSpan(0, 1),
                decoder.VocabularySize,
                decoder.ModelWidth
            )
        );
    }

    public T5GemmaConfiguration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.GenerationDefaults;

    public Embedding EncoderTokens { get; }

    public IReadOnlyList<T5GemmaEncoderLayer> Encoder { get; }

    public RmsNorm EncoderNorm { get; }

    public Embedding DecoderTokenEmbedding { get; }

    public IReadOnlyList<T5GemmaDecoderLayer> Decoder { get; }

    public RmsNorm DecoderNorm { get; }

    /// <summary>Model width → vocabulary, divided by the cap of logits.</summary>
    public Linear Head { get; }

    public IForwardPass CreateForwardPass() => new T5GemmaForwardPass(this);

    public void Dispose()
    {
        EncoderTokens.Dispose();
        foreach (T5GemmaEncoderLayer layer in Encoder)
        {
            layer.Dispose();
        }

        EncoderNorm.Dispose();
        DecoderTokenEmbedding.Dispose();
        foreach (T5GemmaDecoderLayer layer in Decoder)
        {
            layer.Dispose();
        }

        DecoderNorm.Dispose();
        Head.Dispose();
    }
}

internal sealed record T5GemmaEncoderLayer(GemmaSelfAttention SelfAttention, GemmaFeedForward FeedForward) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        FeedForward.Dispose();
    }
}

internal sealed record T5GemmaDecoderLayer(
    GemmaSelfAttention SelfAttention,
    GemmaCrossAttention CrossAttention,
    GemmaFeedForward FeedForward
) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        CrossAttention.Dispose();
        FeedForward.Dispose();
    }
}
