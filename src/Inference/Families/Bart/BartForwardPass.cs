using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Bart;

/// <summary>
/// The forward pass of BART (Lewis et al. 2019, arXiv 1910.13461), as models/bart/modeling_bart.py of transformers has it:
/// a norm after each block's residual sum, biases everywhere, positions added to the embeddings.
/// </summary>
// A block is x = norm(x + attention(x)), in the decoder x = norm(x + attention-to-source(x)), x = norm(x + feed-forward(x)).
internal class BartForwardPass : IForwardPass
{
    private readonly BartNetwork _network;
    private readonly MultiHeadAttention _decoderAttention;
    private readonly Rows _hidden;
    private readonly Rows _queryKeyValue;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _encoderWide;
    private readonly Rows _decoderWide;
    private readonly Rows _logits;

    public BartForwardPass(BartNetwork network)
    {
        BartConfiguration configuration = network.Configuration;
        Device device = network.Shape.Device;
        int width = configuration.ModelWidth;
        _network = network;
        EncoderAttention = Attention(configuration.EncoderHeads);
        _decoderAttention = Attention(configuration.DecoderHeads);
        _hidden = new Rows(width, device);
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

    public Rows Encode(SourceBatch source)
    {
        EmbedSource(source, _hidden);
        for (int i = 0; i < _network.Encoder.Layers.Count; i++)
        {
            BartEncoderLayer layer = _network.Encoder.Layers[i];
            layer.SelfAttention.QueryKeyValue.Forward(_hidden, _queryKeyValue);
            AttendToSource(i, source, _queryKeyValue, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.SelfAttention.Norm.Forward(_hidden, _hidden);
            FeedForward(layer.FeedForward, _encoderWide);
        }

        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _network.Decoder.Layers[i].CrossAttention.KeyValue.Forward(_hidden, _keyValue);
            _decoderAttention.Remember(_keyValue, source, i);
        }

        return _hidden;
    }

    public Rows Decode(DecoderBatch batch)
    {
        EmbedTarget(batch, _hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            BartDecoderLayer layer = _network.Decoder.Layers[i];
            layer.SelfAttention.QueryKeyValue.Forward(_hidden, _queryKeyValue);
            _decoderAttention.Decode(_queryKeyValue, batch, i, bias: null, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.SelfAttention.Norm.Forward(_hidden, _hidden);

            layer.CrossAttention.Query.Forward(_hidden, _query);
            _decoderAttention.Recall(_query, batch, i, _context);
            layer.CrossAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.CrossAttention.Norm.Forward(_hidden, _hidden);
            FeedForward(layer.FeedForward, _decoderWide);
        }

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
                [_hidden, _queryKeyValue, _query, _keyValue, _context, _encoderWide, _decoderWide, _logits]
        )
        {
            rows.Dispose();
        }
    }

    protected virtual void EmbedSource(SourceBatch source, Rows hidden) =>
        Embed(_network.Encoder, source.TokenIds, source.Positions, hidden);

    protected virtual void EmbedTarget(DecoderBatch batch, Rows hidden) =>
        Embed(_network.Decoder, batch.TokenIds, batch.Positions, hidden);

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
        layer.Input.Forward(_hidden, wide, _network.Configuration.Activation);
        layer.Output.Forward(wide, _hidden, accumulate: true);
        layer.Norm.Forward(_hidden, _hidden);
    }
}
