using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>
/// The forward pass of T5 (Raffel et al. 2020, arXiv 1910.10683, section 2.1), as models/t5/modeling_t5.py of transformers
/// has it: pre-norm blocks with RMS norms, no biases, no scaling of attention scores, positions by a bias on the scores
/// that depends on head and distance.
/// </summary>
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)).
internal sealed class T5ForwardPass : IForwardPass
{
    private readonly T5Network _network;
    private readonly MultiHeadAttention _attention;
    private readonly PositionBias[] _encoderBiases;
    private readonly PositionBias[] _decoderBiases;
    private readonly Rows _hidden;
    private readonly Rows _normed;
    private readonly Rows _queryKeyValue;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _wide;
    private readonly Rows _gateAndUp;
    private readonly Rows _logits;

    public T5ForwardPass(T5Network network)
    {
        T5Configuration configuration = network.Configuration;
        Device device = network.Shape.Device;
        _network = network;
        _attention = MultiHeadAttention.Create(configuration.Heads, configuration.HeadWidth, scale: 1, device);
        _encoderBiases =
        [
            .. network.Encoder.Layers.Select(layer => layer.SelfAttention.Bias).OfType<Tensor>().Select(Both),
        ];
        _decoderBiases =
        [
            .. network.Decoder.Layers.Select(layer => layer.SelfAttention.Bias).OfType<Tensor>().Select(Past),
        ];
        _hidden = new Rows(configuration.ModelWidth, device);
        _normed = new Rows(configuration.ModelWidth, device);
        _queryKeyValue = new Rows(3 * configuration.InnerWidth, device);
        _query = new Rows(configuration.InnerWidth, device);
        _keyValue = new Rows(2 * configuration.InnerWidth, device);
        _context = new Rows(configuration.InnerWidth, device);
        _wide = new Rows(configuration.FeedForwardWidth, device);
        _gateAndUp = new Rows(2 * configuration.FeedForwardWidth, device);
        _logits = new Rows(configuration.VocabularySize, device);

        PositionBias Both(Tensor weight) => Bias(weight, isBidirectional: true);
        PositionBias Past(Tensor weight) => Bias(weight, isBidirectional: false);
        PositionBias Bias(Tensor weight, bool isBidirectional) =>
            new(
                distances =>
                    T5Buckets.Bias(
                        weight,
                        distances,
                        isBidirectional,
                        configuration.BiasBuckets,
                        configuration.BiasMaxDistance
                    ),
                device
            );
    }

    public Rows Encode(SourceBatch source)
    {
        _network.Encoder.Tokens.Forward(source.TokenIds, _hidden);
        for (int i = 0; i < _network.Encoder.Layers.Count; i++)
        {
            T5EncoderLayer layer = _network.Encoder.Layers[i];
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _attention.Encode(_queryKeyValue, source, OfLayer(_encoderBiases, i), _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            FeedForward(layer.FeedForward);
        }

        _network.Encoder.FinalNorm.Forward(_hidden, _normed);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _network.Decoder.Layers[i].CrossAttention.KeyValue.Forward(_normed, _keyValue);
            _attention.Remember(_keyValue, source, i);
        }

        return _normed;
    }

    public Rows Decode(DecoderBatch batch)
    {
        _network.Decoder.Tokens.Forward(batch.TokenIds, _hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            T5DecoderLayer layer = _network.Decoder.Layers[i];
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _attention.Decode(_queryKeyValue, batch, i, OfLayer(_decoderBiases, i), _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);

            layer.CrossAttention.Norm.Forward(_hidden, _normed);
            layer.CrossAttention.Query.Forward(_normed, _query);
            _attention.Recall(_query, batch, i, _context);
            layer.CrossAttention.Output.Forward(_context, _hidden, accumulate: true);
            FeedForward(layer.FeedForward);
        }

        _network.Decoder.FinalNorm.Forward(_hidden, _normed);
        _network.Head.Forward(_normed, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _attention.Dispose();
        foreach (PositionBias bias in (PositionBias[])[.. _encoderBiases, .. _decoderBiases])
        {
            bias.Dispose();
        }

        foreach (
            Rows rows in (Rows[])
                [_hidden, _normed, _queryKeyValue, _query, _keyValue, _context, _wide, _gateAndUp, _logits]
        )
        {
            rows.Dispose();
        }
    }

    private void FeedForward(T5FeedForward layer)
    {
        layer.Norm.Forward(_hidden, _normed);
        if (layer.IsGated)
        {
            layer.Input.Forward(_normed, _gateAndUp);
            _network.Configuration.Activation.Gate(_gateAndUp, _wide);
        }
        else
        {
            layer.Input.Forward(_normed, _wide, _network.Configuration.Activation);
        }

        layer.Output.Forward(_wide, _hidden, accumulate: true);
    }

    private static PositionBias OfLayer(PositionBias[] biases, int layer) => biases[Math.Min(layer, biases.Length - 1)];
}
