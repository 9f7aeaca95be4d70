using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Families.T5Gemma;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5Gemma2;

/// <summary>
/// The weights of a T5Gemma 2 (Zhang et al. 2025, arXiv 2512.14856), by their names in models/t5gemma2/modeling_t5gemma2.py
/// of transformers. <see cref="T5Gemma2ForwardPass"/> computes on them.
/// </summary>
// model.encoder (or model.encoder.text_model) and model.decoder
//   embed_tokens    weight [vocabulary, model], eoi_embedding [model]; one for both where they are tied
//   layers.N        as in T5Gemma, but without cross_attn, and self_attn.q_norm, k_norm [head]
//   norm            [model]
// lm_head.out_proj  [vocabulary, model], or embed_tokens
internal sealed class T5Gemma2Network : GemmaNetwork<T5Gemma2EncoderLayer, T5Gemma2DecoderLayer>
{
    public T5Gemma2Network(T5Gemma2Configuration configuration, WeightScope weights, NetworkOptions options)
        : base(configuration.Encoder, configuration.Decoder, configuration.GenerationDefaults, options)
    {
        using DisposeScope scope = NewDisposeScope();
        GemmaHalf encoder = configuration.Encoder;
        GemmaHalf decoder = configuration.Decoder;
        GemmaHalf.NoteIgnored(encoder, decoder, weights);
        const string HeadName = "lm_head.out_proj.weight";
        const string TextModel = "model.encoder.text_model";
        string encoderName = weights.Contains($"{TextModel}.norm.weight") ? TextModel : "model.encoder";
        const string DecoderName = "model.decoder";
        GemmaWeights takeEncoder = new(encoder, options.ComputeType);
        GemmaWeights takeDecoder = new(decoder, options.ComputeType);
        Encoder = takeEncoder.Stack(
            weights[encoderName],
            Tokens(encoderName, DecoderName),
            layer => new T5Gemma2EncoderLayer(Attention(takeEncoder, encoder, layer), takeEncoder.FeedForward(layer))
        );
        Decoder = takeDecoder.Stack(
            weights[DecoderName],
            Tokens(DecoderName, encoderName),
            layer => new T5Gemma2DecoderLayer(
                Attention(takeDecoder, decoder, layer),
                takeDecoder.KeyValue(layer["self_attn"], encoder.ModelWidth),
                takeDecoder.FeedForward(layer)
            )
        );
        Head = takeDecoder.Head(
            weights.TakeTiedMatrix(
                configuration.IsTied ? [HeadName, .. TokenNames(encoderName, DecoderName)] : [HeadName],
                decoder.VocabularySize,
                decoder.ModelWidth
            )
        );

        string[] TokenNames(string own, string other) => [$"{own}.embed_tokens.weight", $"{other}.embed_tokens.weight"];

        // The end of an image is not scaled like the others.
        Embedding Tokens(string own, string other)
        {
            using DisposeScope memory = NewDisposeScope();
            double scale = Math.Sqrt(decoder.ModelWidth);
            string[] names = [.. TokenNames(own, other), HeadName];
            string[] endNames = [$"{own}.embed_tokens.eoi_embedding", $"{other}.embed_tokens.eoi_embedding"];
            Tensor weight = weights.TakeTied(
                configuration.IsTied ? names : names.AsSpan(0, 1),
                decoder.VocabularySize,
                decoder.ModelWidth
            );
            Tensor end = weights.TakeTied(configuration.IsTied ? endNames : endNames.AsSpan(0, 1), decoder.ModelWidth);
            if (configuration.EndOfImage < decoder.VocabularySize)
            {
                weight = weight.clone();
                weight.narrow(0, configuration.EndOfImage, 1).copy_(end / scale);
            }

            return new Embedding(weight, scale);
        }
    }

    public override T5Stack<T5Gemma2EncoderLayer> Encoder { get; }

    public override T5Stack<T5Gemma2DecoderLayer> Decoder { get; }

    public override Linear Head { get; }

    public override IForwardPass CreateForwardPass() => new T5Gemma2ForwardPass(this);

    private static T5Gemma2Attention Attention(GemmaWeights take, GemmaHalf half, WeightScope layer) =>
        new(
            take.SelfAttention(layer),
            take.Norm(layer["self_attn"]["q_norm"], half.HeadWidth),
            take.Norm(layer["self_attn"]["k_norm"], half.HeadWidth)
        );
}

/// <summary>Attention whose queries and keys are normed, head by head.</summary>
internal sealed record T5Gemma2Attention(GemmaSelfAttention Projections, RmsNorm QueryNorm, RmsNorm KeyNorm)
    : IDisposable
{
    public void Dispose()
    {
        Projections.Dispose();
        QueryNorm.Dispose();
        KeyNorm.Dispose();
    }
}

internal sealed record T5Gemma2EncoderLayer(T5Gemma2Attention Attention, GemmaFeedForward FeedForward) : IDisposable
{
    public void Dispose()
    {
        Attention.Dispose();
        FeedForward.Dispose();
    }
}

/// <summary>A layer of the decoder; keys and values of the source are made by the attention's own projections.</summary>
internal sealed record T5Gemma2DecoderLayer(
    T5Gemma2Attention Attention,
    Linear SourceKeyValue,
    GemmaFeedForward FeedForward
) : IDisposable
{
    public void Dispose()
    {
        Attention.Dispose();
        SourceKeyValue.Dispose();
        FeedForward.Dispose();
    }
}
