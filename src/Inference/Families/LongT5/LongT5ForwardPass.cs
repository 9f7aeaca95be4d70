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
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)):
// see T5Sublayers.
internal sealed class LongT5ForwardPass : IForwardPass
{
    private readonly LongT5Network _network;
    private readonly T5Sublayers _sublayers;
    private readonly PositionBias _encoderBias;
    private readonly PositionBias? _blockBias;
    private readonly PositionBias _decoderBias;
    private readonly Rows _blocks;
    private readonly Rows _blockKeys;

    public LongT5ForwardPass(LongT5Network network)
    {
        T5Configuration configuration = network.Configuration;
        Device device = network.Shape.Device;
        LongT5EncoderLayer first = network.Encoder.Layers[0];
        _network = network;
        _sublayers = new T5Sublayers(configuration, device);
        _encoderBias = _sublayers.Bias(first.SelfAttention.Bias!, isBidirectional: true);
        _blockBias = first.BlockBias is { } table ? _sublayers.Bias(table, isBidirectional: true) : null;
        _decoderBias = _sublayers.Bias(network.Decoder.Layers[0].SelfAttention.Bias!, isBidirectional: false);
        _blocks = new Rows(configuration.ModelWidth, device);
        _blockKeys = new Rows(3 * configuration.InnerWidth, device);
    }

    public Rows Encode(SourceBatch source)
    {
        LongT5Blocks? blocks = _blockBias is null ? null : new(source, _network.BlockSize);
        SideKeys? side = blocks is { Count: > 0 } ? new(_blockKeys, blocks.Starts, blocks.OfTokens, _blockBias!) : null;
        AttentionWindow window = new(_network.LocalRadius, _network.LocalRadius);
        _network.Encoder.Tokens.Forward(source.TokenIds, _sublayers.Hidden);
        foreach (LongT5EncoderLayer layer in _network.Encoder.Layers)
        {
            _sublayers.Project(layer.SelfAttention);
            if (side is not null)
            {
                SumBlocks(blocks!);
                layer.BlockNorm!.Forward(_blocks, _blocks);
                layer.SelfAttention.QueryKeyValue.Forward(_blocks, _blockKeys);
            }

            _sublayers.Attention.Encode(
                _sublayers.QueryKeyValue,
                source,
                _encoderBias,
                _sublayers.Context,
                window,
                side
            );
            _sublayers.AddContext(layer.SelfAttention);
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
            _sublayers.Attend(layer.SelfAttention, batch, i, _decoderBias);
            _sublayers.Recall(layer.CrossAttention, batch, i);
            _sublayers.FeedForward(layer.FeedForward);
        }

        _sublayers.Finish(_network.Decoder.FinalNorm);
        return _sublayers.Logits(_network.Head, batch);
    }

    public void Dispose()
    {
        _sublayers.Dispose();
        _encoderBias.Dispose();
        _blockBias?.Dispose();
        _decoderBias.Dispose();
        _blocks.Dispose();
        _blockKeys.Dispose();
    }

    /// <summary>Each block becomes the sum of its tokens' normed states.</summary>
    private void SumBlocks(LongT5Blocks blocks)
    {
        _blocks.Resize(blocks.Count);
        Tensor sums = _blocks.Tensor;
        using DisposeScope scope = NewDisposeScope();
        Tensor states = _sublayers.Normed.Tensor.index_select(0, tensor(blocks.Tokens, device: sums.device));
        sums.zero_().index_add_(0, tensor(blocks.Blocks, device: sums.device), states, alpha: 1);
    }
}
