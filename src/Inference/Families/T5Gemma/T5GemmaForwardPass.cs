using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>
/// The forward pass of T5Gemma (Zhang et al. 2025, arXiv 2504.06225), as models/t5gemma/modeling_t5gemma.py of transformers
/// 5.17 has it with its default attention: Gemma 2's blocks (arXiv 2408.00118) with norms before and after, rotary
/// positions, shared heads of keys, and windows in some layers. That attention does not cap scores, whatever
/// <c>attn_logit_softcapping</c> says; logits are capped.
/// </summary>
// A block is x = x + norm(attention(norm(x))), in the decoder x = x + norm(attention-to-source(norm(x))),
// x = x + norm(feed-forward(norm(x))): see GemmaSublayers.
internal sealed class T5GemmaForwardPass(T5GemmaNetwork network) : IForwardPass
{
    private readonly GemmaSublayers _encoder = new(network.EncoderHalf, network.Shape.Device);
    private readonly GemmaSublayers _decoder = new(network.DecoderHalf, network.Shape.Device);

    public Rows Encode(SourceBatch source)
    {
        GemmaHalf half = network.EncoderHalf;
        network.Encoder.Tokens.Forward(source.TokenIds, _encoder.Hidden);
        for (int i = 0; i < half.Layers; i++)
        {
            T5GemmaEncoderLayer layer = network.Encoder.Layers[i];
            AttentionWindow? window = half.IsSliding[i]
                ? new AttentionWindow(half.SlidingWindow, half.SlidingWindow)
                : null;
            _encoder.Project(layer.SelfAttention);
            _encoder.Turn(source.Positions, i);
            _encoder.Attention.Encode(_encoder.QueryKeyValue, source, bias: null, _encoder.Context, window);
            _encoder.AddContext(layer.SelfAttention);
            _encoder.FeedForward(layer.FeedForward);
        }

        Rows states = _encoder.Finish(network.Encoder.FinalNorm);
        for (int i = 0; i < network.DecoderHalf.Layers; i++)
        {
            network.Decoder.Layers[i].CrossAttention.KeyValue.Forward(states, _decoder.SourceKeyValue);
            _decoder.Attention.Remember(_decoder.SourceKeyValue, source, i);
        }

        return states;
    }

    public Rows Decode(DecoderBatch batch)
    {
        GemmaHalf half = network.DecoderHalf;
        network.Decoder.Tokens.Forward(batch.TokenIds, _decoder.Hidden);
        for (int i = 0; i < half.Layers; i++)
        {
            T5GemmaDecoderLayer layer = network.Decoder.Layers[i];
            int? window = half.IsSliding[i] ? half.SlidingWindow : null;
            _decoder.Project(layer.SelfAttention);
            _decoder.Turn(batch.Positions, i);
            _decoder.Attention.Decode(_decoder.QueryKeyValue, batch, i, bias: null, _decoder.Context, window);
            _decoder.AddContext(layer.SelfAttention);
            _decoder.Recall(layer.CrossAttention, batch, i);
            _decoder.FeedForward(layer.FeedForward);
        }

        _decoder.Finish(network.Decoder.FinalNorm);
        return _decoder.Logits(network.Head);
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _decoder.Dispose();
    }
}
