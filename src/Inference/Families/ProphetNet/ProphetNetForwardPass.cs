using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.ProphetNet;

/// <summary>
/// The forward pass of ProphetNet (Qi et al. 2020, arXiv 2001.04063), as models/prophetnet/modeling_prophetnet.py of
/// transformers has it in generation: norms after each block, and in the decoder two streams, of the tokens and of what
/// follows each. The streams that predict still later tokens change nothing here and are not computed.
/// </summary>
// A block is x = norm(x + attention(x)), in the decoder x = norm(x + attention-to-source(x)), x = norm(x + feed-forward(x)).
// The decoder's rows are the tokens fed, then for each of them the stream that predicts the next token.
internal sealed class ProphetNetForwardPass : IForwardPass
{
    private readonly ProphetNetNetwork _network;
    private readonly MultiHeadAttention _encoderAttention;
    private readonly MultiHeadAttention _crossAttention;
    private readonly NgramAttention _ngramAttention;
    private readonly Rows _hidden;
    private readonly Rows _part;
    private readonly Rows _queryKeyValue;
    private readonly Rows _biases;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _encoderWide;
    private readonly Rows _decoderWide;
    private readonly Rows _logits;
    private int[] _positions = new int[64];

    public ProphetNetForwardPass(ProphetNetNetwork network)
    {
        ProphetNetConfiguration configuration = network.Configuration;
        Device device = network.Shape.Device;
        int width = configuration.ModelWidth;
        _network = network;
        _encoderAttention = Attention(configuration.EncoderHeads);
        _crossAttention = Attention(configuration.DecoderHeads);
        _ngramAttention = new NgramAttention(configuration);
        _hidden = new Rows(width, device);
        _part = new Rows(width, device);
        _queryKeyValue = new Rows(3 * width, device);
        _biases = new Rows(configuration.Buckets * configuration.DecoderHeads, device);
        _query = new Rows(width, device);
        _keyValue = new Rows(2 * width, device);
        _context = new Rows(width, device);
        _encoderWide = new Rows(configuration.EncoderFeedForwardWidth, device);
        _decoderWide = new Rows(configuration.DecoderFeedForwardWidth, device);
        _logits = new Rows(configuration.VocabularySize, device);

        MultiHeadAttention Attention(int heads) =>
            MultiHeadAttention.Create(heads, width / heads, scale: Math.Pow(width / heads, -0.5), device);
    }

    public Rows Encode(SourceBatch source)
    {
        ProphetNetStack<ProphetNetEncoderLayer> encoder = _network.Encoder;
        encoder.Tokens.Forward(source.TokenIds, _hidden);
        encoder.Positions.Forward(SourcePositions(source), _hidden, accumulate: true);
        encoder.EmbeddingNorm.Forward(_hidden, _hidden);
        foreach (ProphetNetEncoderLayer layer in encoder.Layers)
        {
            layer.SelfAttention.QueryKeyValue.Forward(_hidden, _queryKeyValue);
            _encoderAttention.Encode(_queryKeyValue, source, bias: null, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.SelfAttention.Norm.Forward(_hidden, _hidden);
            FeedForward(layer.FeedForward, _encoderWide);
        }

        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _network.Decoder.Layers[i].CrossAttention.KeyValue.Forward(_hidden, _keyValue);
            _crossAttention.Remember(_keyValue, source, i);
        }

        return _hidden;
    }

    public Rows Decode(DecoderBatch batch)
    {
        DecoderBatch bothStreams = BothStreams(batch);
        EmbedStreams(batch);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            ProphetNetDecoderLayer layer = _network.Decoder.Layers[i];
            layer.SelfAttention.QueryKeyValue.Forward(_hidden, _queryKeyValue);
            layer.PositionBias.Forward(_hidden, _biases);
            _ngramAttention.Decode(_queryKeyValue, _biases, batch, i, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.SelfAttention.Norm.Forward(_hidden, _hidden);

            layer.CrossAttention.Query.Forward(_hidden, _query);
            _crossAttention.Recall(_query, bothStreams, i, _context);
            layer.CrossAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.CrossAttention.Norm.Forward(_hidden, _hidden);
            FeedForward(layer.FeedForward, _decoderWide);
        }

        _part.Resize(batch.Count);
        Copy(_hidden, batch.Count, _part, 0);
        _network.Head.Forward(_part, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _encoderAttention.Dispose();
        _crossAttention.Dispose();
        foreach (
            Rows rows in (Rows[])
                [
                    _hidden,
                    _part,
                    _queryKeyValue,
                    _biases,
                    _query,
                    _keyValue,
                    _context,
                    _encoderWide,
                    _decoderWide,
                    _logits,
                ]
        )
        {
            rows.Dispose();
        }
    }

    private void EmbedStreams(DecoderBatch batch)
    {
        ProphetNetStack<ProphetNetDecoderLayer> decoder = _network.Decoder;
        int rows = batch.Count;
        Span<int> positions = Positions(2 * rows);
        positions[..rows].Clear();
        _hidden.Resize(2 * rows);
        decoder.Tokens.Forward(batch.TokenIds, _part);
        Copy(_part, 0, _hidden, 0);
        _network.PredictStream.Forward(positions[..rows], _part);
        Copy(_part, 0, _hidden, rows);
        for (int row = 0; row < rows; row++)
        {
            positions[row] = batch.Positions[row] + 1;
            positions[rows + row] = batch.Positions[row] + 2;
        }

        decoder.Positions.Forward(positions, _hidden, accumulate: true);
        decoder.EmbeddingNorm.Forward(_hidden, _hidden);
    }

    /// <summary>The step's rows twice, which attend to the same sources.</summary>
    private static DecoderBatch BothStreams(DecoderBatch batch)
    {
        DecoderBatch both = new(batch.Cache, batch.Memory);
        for (int i = 0; i < 2 * batch.Count; i++)
        {
            int row = i % batch.Count;
            ReadOnlySpan<int> locations = batch.Locations.Slice(batch.LocationStarts[row], batch.Positions[row] + 1);
            both.Add(batch.TokenIds[row], locations, batch.MemoryStarts[row], batch.MemoryLengths[row]);
        }

        return both;
    }

    private void FeedForward(ProphetNetFeedForward layer, Rows wide)
    {
        layer.Input.Forward(_hidden, wide, _network.Configuration.Activation);
        layer.Output.Forward(wide, _hidden, accumulate: true);
        layer.Norm.Forward(_hidden, _hidden);
    }

    /// <summary>Rows of the position table: from 1, as row 0 is padding's; tokens beyond the table have its last row.</summary>
    private Span<int> SourcePositions(SourceBatch source)
    {
        Span<int> positions = Positions(source.Tokens);
        for (int i = 0; i < positions.Length; i++)
        {
            positions[i] = Math.Min(source.Positions[i] + 1, _network.Configuration.MaxPositions - 1);
        }

        return positions;
    }

    private Span<int> Positions(int count)
    {
        if (count > _positions.Length)
        {
            _positions = new int[Math.Max(count, 2 * _positions.Length)];
        }

        return _positions.AsSpan(0, count);
    }

    /// <summary>As many rows as the smaller of the two has.</summary>
    private static void Copy(Rows from, int fromStart, Rows to, int toStart)
    {
        int count = Math.Min(from.Count, to.Count);
        using Tensor source = from.Tensor.narrow(0, fromStart, count);
        using Tensor target = to.Tensor.narrow(0, toStart, count);
        target.copy_(source);
    }
}
