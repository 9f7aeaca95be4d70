using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>
/// The forward pass of T5 (Raffel et al. 2020, arXiv 1910.10683, section 2.1), as models/t5/modeling_t5.py of transformers
/// has it: pre-norm blocks with RMS norms, no biases, no scaling of attention scores, positions by a bias on the scores
/// that depends on head and distance.
/// </summary>
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)):
// see T5Sublayers.
internal sealed class T5ForwardPass : IForwardPass
{
    private readonly T5Network _network;
    private readonly T5Sublayers _sublayers;
    private readonly PositionBias[] _encoderBiases;
    private readonly PositionBias[] _decoderBiases;

    public T5ForwardPass(T5Network network)
    {
        _network = network;
        _sublayers = new T5Sublayers(network.Configuration, network.Shape.Device);
        _encoderBiases = Biases(network.Encoder.Layers.Select(layer => layer.SelfAttention), isBidirectional: true);
        _decoderBiases = Biases(network.Decoder.Layers.Select(layer => layer.SelfAttention), isBidirectional: false);

        PositionBias[] Biases(IEnumerable<T5SelfAttention> layers, bool isBidirectional) =>
            [
                .. layers
                    .Select(layer => layer.Bias)
                    .OfType<Tensor>()
                    .Select(table => _sublayers.Bias(table, isBidirectional)),
            ];
    }

    public Rows Encode(SourceBatch source)
    {
        _network.Encoder.Tokens.Forward(source.TokenIds, _sublayers.Hidden);
        for (int i = 0; i < _network.Encoder.Layers.Count; i++)
        {
            T5EncoderLayer layer = _network.Encoder.Layers[i];
            _sublayers.Attend(layer.SelfAttention, source, OfLayer(_encoderBiases, i));
            _sublayers.FeedForward(layer.FeedForward);
        }

        Rows states = _sublayers.Finish(_network.Encoder.FinalNorm);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _sublayers.Remember(_network.Decoder.Layers[i].CrossAttention, source, i);
        }

        return states;
    }

    public Rows Decode(DecoderBatch batch)
    {
        _network.Decoder.Tokens.Forward(batch.TokenIds, _sublayers.Hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            T5DecoderLayer layer = _network.Decoder.Layers[i];
            _sublayers.Attend(layer.SelfAttention, batch, i, OfLayer(_decoderBiases, i));
            _sublayers.Recall(layer.CrossAttention, batch, i);
            _sublayers.FeedForward(layer.FeedForward);
        }

        _sublayers.Finish(_network.Decoder.FinalNorm);
        return _sublayers.Logits(_network.Head, batch);
    }

    public void Dispose()
    {
        _sublayers.Dispose();
        foreach (PositionBias bias in (PositionBias[])[.. _encoderBiases, .. _decoderBiases])
        {
            bias.Dispose();
        }
    }

    private static PositionBias OfLayer(PositionBias[] biases, int layer) => biases[Math.Min(layer, biases.Length - 1)];
}
