using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Mbart;

/// <summary>
/// The forward pass of mBART (Liu et al. 2020, arXiv 2001.08210), as models/mbart/modeling_mbart.py of transformers has it:
/// BART with a norm before each block, and one after the last.
/// </summary>
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)).
internal class MbartForwardPass : IForwardPass
{
    private readonly BartNetwork _network;
    private readonly MultiHeadAttention _decoderAttention;
    private readonly Rows _hidden;
    private readonly Rows _normed;
    private readonly Rows _queryKeyValue;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _encoderWide;
    private readonly Rows _decoderWide;
    private readonly Rows _logits;

    public MbartForwardPass(BartNetwork network)
    {
        BartConfiguration configuration = network.Configuration;
        Device device = network.Shape.Device;
        int width = configuration.ModelWidth;
        _network = network;
        EncoderAttention = Attention(configuration.EncoderHeads);
        _decoderAttention = Attention(configuration.DecoderHeads);
        _hidden = new Rows(width, device);
        _normed = new Rows(width, device);
        _queryKeyValue = new Rows(3 * width, device);
        _query = new Rows(width, device);
        _keyValue = new Rows(2 * width, device);
        _context = new Rows(width, device);
        _encoderWide = new Rows(configuration.EncoderFeedForwardWidth, device);
        _decoderWide = new Rows(configuration.DecoderFeedForwardWidth, device);
        _logits = new Rows(configuration.VocabularySize, device);

        MultiHeadAttention Attention(int heads) =>
            MultiHeadAttention.Create(heads, width / heads, scale: Math.Pow(width / heads, -0.5), device);
    }

    protected MultiHeadAttention EncoderAttention { get; }

    public virtual Rows Encode(SourceBatch source)
    {
        EmbedSource(source, _hidden);
        for (int i = 0; i < _network.Encoder.Layers.Count; i++)
        {
            BartEncoderLayer layer = _network.Encoder.Layers[i];
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            AttendToSource(i, source, _queryKeyValue, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            FeedForward(layer.FeedForward, _encoderWide);
        }

        _network.Encoder.FinalNorm?.Forward(_hidden, _hidden);
        Remember(_hidden, source);
        return _hidden;
    }

    public Rows Decode(DecoderBatch batch)
    {
        EmbedTarget(batch, _hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            BartDecoderLayer layer = _network.Decoder.Layers[i];
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _decoderAttention.Decode(_queryKeyValue, batch, i, bias: null, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);

            layer.CrossAttention.Norm.Forward(_hidden, _normed);
            layer.CrossAttention.Query.Forward(_normed, _query);
            _decoderAttention.Recall(_query, batch, i, _context);
            layer.CrossAttention.Output.Forward(_context, _hidden, accumulate: true);
            FeedForward(layer.FeedForward, _decoderWide);
        }

        _network.Decoder.FinalNorm?.Forward(_hidden, _hidden);
        _network.Head.Forward(_hidden, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        EncoderAttention.Dispose();
        _decoderAttention.Dispose();
        foreach (
            Rows rows in (Rows[])
                [_hidden, _normed, _queryKeyValue, _query, _keyValue, _context, _encoderWide, _decoderWide, _logits]
        )
        {
            rows.Dispose();
        }
    }

    protected virtual void EmbedSource(SourceBatch source, Rows hidden) =>
        Embed(_network.Encoder, source.TokenIds, source.Positions, hidden);

    protected virtual void EmbedTarget(DecoderBatch batch, Rows hidden) =>
        Embed(_network.Decoder, batch.TokenIds, batch.Positions, hidden);

    /// <summary>Keeps the keys and values of the encoder's states for every layer of the decoder.</summary>
    protected void Remember(Rows states, SourceBatch source)
    {
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _network.Decoder.Layers[i].CrossAttention.KeyValue.Forward(states, _keyValue);
            _decoderAttention.Remember(_keyValue, source, i);
        }
    }

    /// <summary>Self-attention of an encoder's layer: <c>[query | key | value]</c> → context.</summary>
    protected virtual void AttendToSource(int layer, SourceBatch source, Rows queryKeyValue, Rows context) =>
        EncoderAttention.Encode(queryKeyValue, source, bias: null, context);

    private static void Embed<TLayer>(
        BartStack<TLayer> stack,
        ReadOnlySpan<int> tokenIds,
        ReadOnlySpan<int> positions,
        Rows hidden
    )
        where TLayer : IDisposable
    {
        stack.Tokens.Forward(tokenIds, hidden);
        stack.Positions?.Forward(positions, hidden, accumulate: true);
        stack.EmbeddingNorm?.Forward(hidden, hidden);
    }

    private void FeedForward(BartFeedForward layer, Rows wide)
    {
        layer.Norm.Forward(_hidden, _normed);
        layer.Input.Forward(_normed, wide, _network.Configuration.Activation);
        layer.Output.Forward(wide, _hidden, accumulate: true);
    }
}
