using Seq2Seq.Inference.Families.T5Gemma;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.T5Gemma2;

/// <summary>
/// The forward pass of T5Gemma 2 on text (Zhang et al. 2025, arXiv 2512.14856), as models/t5gemma2/modeling_t5gemma2.py of
/// transformers 5.17 has it with its default attention: Gemma 3's blocks (arXiv 2503.19786), whose queries and keys are
/// normed; a decoder's attention sees its own tokens and the source under one softmax.
/// </summary>
// A block is x = x + norm(attention(norm(x))), x = x + norm(feed-forward(norm(x))): see GemmaSublayers.
internal sealed class T5Gemma2ForwardPass(T5Gemma2Network network) : IForwardPass
{
    private readonly GemmaSublayers _encoder = new(network.EncoderHalf, network.Shape.Device);
    private readonly GemmaSublayers _decoder = new(network.DecoderHalf, network.Shape.Device);

    public Rows Encode(SourceBatch source)
    {
        GemmaHalf half = network.EncoderHalf;
        network.Encoder.Tokens.Forward(source.TokenIds, _encoder.Hidden);
        for (int i = 0; i < half.Layers; i++)
        {
            T5Gemma2EncoderLayer layer = network.Encoder.Layers[i];
            AttentionWindow? window = half.IsSliding[i]
                ? new AttentionWindow(((half.SlidingWindow + 1) / 2) - 1, half.SlidingWindow / 2)
                : null;
            _encoder.Project(layer.Attention.Projections);
            NormHeads(layer.Attention, _encoder.QueryKeyValue, half);
            _encoder.Turn(source.Positions, i);
            _encoder.Attention.Encode(_encoder.QueryKeyValue, source, bias: null, _encoder.Context, window);
            _encoder.AddContext(layer.Attention.Projections);
            _encoder.FeedForward(layer.FeedForward);
        }

        Rows states = _encoder.Finish(network.Encoder.FinalNorm);
        for (int i = 0; i < network.DecoderHalf.Layers; i++)
        {
            T5Gemma2DecoderLayer layer = network.Decoder.Layers[i];
            Rows keyValue = _decoder.SourceKeyValue;
            layer.SourceKeyValue.Forward(states, keyValue);
            layer.Attention.KeyNorm.ForwardHeads(keyValue, column: 0, network.DecoderHalf.KeyHeads);
            _decoder.Attention.Remember(keyValue, source, i);
        }

        return states;
    }

    public Rows Decode(DecoderBatch batch)
    {
        GemmaHalf half = network.DecoderHalf;
        network.Decoder.Tokens.Forward(batch.TokenIds, _decoder.Hidden);
        for (int i = 0; i < half.Layers; i++)
        {
            T5Gemma2DecoderLayer layer = network.Decoder.Layers[i];
            int? window = half.IsSliding[i] ? half.SlidingWindow : null;
            _decoder.Project(layer.Attention.Projections);
            NormHeads(layer.Attention, _decoder.QueryKeyValue, half);
            _decoder.Turn(batch.Positions, i);
            _decoder.Attention.Decode(
                _decoder.QueryKeyValue,
                batch,
                i,
                bias: null,
                _decoder.Context,
                window,
                withSource: true
            );
            _decoder.AddContext(layer.Attention.Projections);
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

    private static void NormHeads(T5Gemma2Attention attention, Rows queryKeyValue, GemmaHalf half)
    {
        attention.QueryNorm.ForwardHeads(queryKeyValue, column: 0, half.Heads);
        attention.KeyNorm.ForwardHeads(queryKeyValue, half.QueryWidth, half.KeyHeads);
    }
}
