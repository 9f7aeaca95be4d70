using Seq2Seq.Inference.Families.T5;
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
internal sealed class T5GemmaNetwork : GemmaNetwork<T5GemmaEncoderLayer, T5GemmaDecoderLayer>
{
    public T5GemmaNetwork(T5GemmaConfiguration configuration, WeightScope weights, NetworkOptions options)
        : base(configuration.Encoder, configuration.Decoder, configuration.GenerationDefaults, options)
    {
        using DisposeScope scope = NewDisposeScope();
        GemmaHalf encoder = configuration.Encoder;
        GemmaHalf decoder = configuration.Decoder;
        GemmaHalf.NoteIgnored(encoder, decoder, weights);
        WeightScope encoderScope = weights["model"]["encoder"];
        WeightScope decoderScope = weights["model"]["decoder"];
        const string DecoderTokens = "model.decoder.embed_tokens.weight";
        const string HeadName = "lm_head.out_proj.weight";
        GemmaWeights takeEncoder = new(encoder, options.ComputeType);
        GemmaWeights takeDecoder = new(decoder, options.ComputeType);
        Encoder = takeEncoder.Stack(
            encoderScope,
            Tokens(encoderScope["embed_tokens"].Take("weight", encoder.VocabularySize, encoder.ModelWidth), encoder),
            layer => new T5GemmaEncoderLayer(takeEncoder.SelfAttention(layer), takeEncoder.FeedForward(layer))
        );
        Decoder = takeDecoder.Stack(
            decoderScope,
            Tokens(
                weights.TakeTied(Names(DecoderTokens, HeadName), decoder.VocabularySize, decoder.ModelWidth),
                decoder
            ),
            layer => new T5GemmaDecoderLayer(
                takeDecoder.SelfAttention(layer),
                takeDecoder.CrossAttention(layer, encoder.ModelWidth),
                takeDecoder.FeedForward(layer)
            )
        );
        Head = takeDecoder.Head(
            weights.TakeTiedMatrix(Names(HeadName, DecoderTokens), decoder.VocabularySize, decoder.ModelWidth)
        );

        string[] Names(string own, string other) => configuration.IsTied ? [own, other] : [own];

        static Embedding Tokens(Tensor weight, GemmaHalf half) => new(weight, Math.Sqrt(half.ModelWidth));
    }

    public override T5Stack<T5GemmaEncoderLayer> Encoder { get; }

    public override T5Stack<T5GemmaDecoderLayer> Decoder { get; }

    public override Linear Head { get; }

    public override IForwardPass CreateForwardPass() => new T5GemmaForwardPass(this);
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
