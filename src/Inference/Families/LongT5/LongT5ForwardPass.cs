using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.LongT5;

/// <summary>
/// The forward pass of LongT5 (Guo et al. 2022, arXiv 2112.07916, section 3), as models/longt5/modeling_longt5.py of
/// transformers has it: T5, but a token of the encoder sees the tokens near it only and, in the transient-global kind, sums
/// over the blocks of its line, which every layer makes anew.
/// </summary>
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)).
internal sealed class LongT5ForwardPass : IForwardPass
{
    private readonly LongT5Network _network;
    private readonly MultiHeadAttention _attention;
    private readonly PositionBias _encoderBias;
    private readonly PositionBias? _blockBias;
    private readonly PositionBias _decoderBias;
    private readonly Rows _hidden;
    private readonly Rows _normed;
    private readonly Rows _queryKeyValue;
    private readonly Rows _blocks;
    private readonly Rows _blockKeys;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _wide;
    private readonly Rows _gateAndUp;
    private readonly Rows _logits;

    public LongT5ForwardPass(LongT5Network network)
    {
        T5Configuration configuration = network.Configuration.T5;
        Device device = network.Shape.Device;
        _network = network;
        _attention = MultiHeadAttention.Create(configuration.Heads, configuration.HeadWidth, scale: 1, device);
        _encoderBias = Bias(network.Encoder.Layers[0].SelfAttention.Bias!, isBidirectional: true);
        _blockBias = network.Encoder.Layers[0].BlockBias is { } weight ? Bias(weight, isBidirectional: true) : null;
        _decoderBias = Bias(network.Decoder.Layers[0].SelfAttention.Bias!, isBidirectional: false);
        _hidden = new Rows(configuration.ModelWidth, device);
        _normed = new Rows(configuration.ModelWidth, device);
        _queryKeyValue = new Rows(3 * configuration.InnerWidth, device);
        _blocks = new Rows(configuration.ModelWidth, device);
        _blockKeys = new Rows(3 * configuration.InnerWidth, device);
        _query = new Rows(configuration.InnerWidth, device);
        _keyValue = new Rows(2 * configuration.InnerWidth, device);
        _context = new Rows(configuration.InnerWidth, device);
        _wide = new Rows(configuration.FeedForwardWidth, device);
        _gateAndUp = new Rows(2 * configuration.FeedForwardWidth, device);
        _logits = new Rows(configuration.VocabularySize, device);

        PositionBias Bias(Tensor table, bool isBidirectional) =>
            new(
                distances =>
                    T5Buckets.Bias(
                        table,
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
        LongT5Blocks? blocks = _blockBias is null ? null : new(source, _network.Configuration.BlockSize);
        SideKeys? side = blocks is { Count: > 0 } ? new(_blockKeys, blocks.Starts, blocks.OfTokens, _blockBias!) : null;
        int radius = _network.Configuration.LocalRadius;
        AttentionWindow window = new(radius, radius);
        _network.Encoder.Tokens.Forward(source.TokenIds, _hidden);
        foreach (LongT5EncoderLayer layer in _network.Encoder.Layers)
        {
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            if (side is not null)
            {
                SumBlocks(blocks!);
                layer.BlockNorm!.Forward(_blocks, _blocks);
                layer.SelfAttention.QueryKeyValue.Forward(_blocks, _blockKeys);
            }

            _attention.Encode(_queryKeyValue, source, _encoderBias, _context, window, side);
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
            _attention.Decode(_queryKeyValue, batch, i, _decoderBias, _context);
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
        _encoderBias.Dispose();
        _blockBias?.Dispose();
        _decoderBias.Dispose();
        foreach (
            Rows rows in (Rows[])
                [
                    _hidden,
                    _normed,
                    _queryKeyValue,
                    _blocks,
                    _blockKeys,
                    _query,
                    _keyValue,
                    _context,
                    _wide,
                    _gateAndUp,
                    _logits,
                ]
        )
        {
            rows.Dispose();
        }
    }

    /// <summary>Each block becomes the sum of its tokens' normed states.</summary>
    private void SumBlocks(LongT5Blocks blocks)
    {
        _blocks.Resize(blocks.Count);
        Tensor sums = _blocks.Tensor;
        using DisposeScope scope = NewDisposeScope();
        Tensor states = _normed.Tensor.index_select(0, tensor(blocks.Tokens, device: sums.device));
        sums.zero_().index_add_(0, tensor(blocks.Blocks, device: sums.device), states, alpha: 1);
    }

    private void FeedForward(T5FeedForward layer)
    {
        layer.Norm.Forward(_hidden, _normed);
        if (layer.IsGated)
        {
            layer.Input.Forward(_normed, _gateAndUp);
            _network.Configuration.T5.Activation.Gate(_gateAndUp, _wide);
        }
        else
        {
            layer.Input.Forward(_normed, _wide, _network.Configuration.T5.Activation);
        }

        layer.Output.Forward(_wide, _hidden, accumulate: true);
    }
}
