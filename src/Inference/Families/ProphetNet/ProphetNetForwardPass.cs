using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.ProphetNet;

/// <summary>
/// The forward pass of ProphetNet (Qi et al. 2020, arXiv 2001.04063), as models/prophetnet/modeling_prophetnet.py of
/// transformers has it in generation: norms after each block, and in the decoder two streams, of the tokens and of what
/// follows each. The streams that predict still later tokens change nothing here and are not computed.
/// </summary>
// A block is x = norm(x + attention(x)), in the decoder x = norm(x + attention-to-source(x)), x = norm(x + feed-forward(x)):
// see PostNormSublayers.
// The decoder's rows are the tokens fed, then for each of them the stream that predicts the next token.
internal sealed class ProphetNetForwardPass : IForwardPass
{
    private readonly ProphetNetNetwork _network;
    private readonly PostNormSublayers _encoder;
    private readonly PostNormSublayers _decoder;
    private readonly NgramAttention _ngramAttention;
    private readonly Rows _part;
    private readonly Rows _biases;
    private readonly Rows _logits;
    private int[] _positions = new int[64];

    public ProphetNetForwardPass(ProphetNetNetwork network)
    {
        ProphetNetConfiguration configuration = network.Configuration;
        Device device = network.Shape.Device;
        _network = network;
        _encoder = new PostNormSublayers(configuration.EncoderShape, device);
        _decoder = new PostNormSublayers(configuration.DecoderShape, device);
        _ngramAttention = new NgramAttention(configuration);
        _part = new Rows(configuration.ModelWidth, device);
        _biases = new Rows(configuration.Buckets * configuration.DecoderHeads, device);
        _logits = new Rows(configuration.VocabularySize, device);
    }

    public Rows Encode(SourceBatch source)
    {
        ProphetNetStack<BartEncoderLayer> encoder = _network.Encoder;
        Rows hidden = _encoder.Hidden;
        encoder.Tokens.Forward(source.TokenIds, hidden);
        encoder.Positions.Forward(SourcePositions(source), hidden, accumulate: true);
        encoder.EmbeddingNorm.Forward(hidden, hidden);
        foreach (BartEncoderLayer layer in encoder.Layers)
        {
            _encoder.Attend(layer.SelfAttention, source);
            _encoder.FeedForward(layer.FeedForward);
        }

        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _decoder.Remember(_network.Decoder.Layers[i].CrossAttention, hidden, source, i);
        }

        return hidden;
    }

    public Rows Decode(DecoderBatch batch)
    {
        DecoderBatch bothStreams = BothStreams(batch);
        EmbedStreams(batch, _decoder.Hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            ProphetNetDecoderLayer layer = _network.Decoder.Layers[i];
            layer.PositionBias.Forward(_decoder.Hidden, _biases);
            _decoder.Project(layer.SelfAttention);
            _ngramAttention.Decode(_decoder.QueryKeyValue, _biases, batch, i, _decoder.Context);
            _decoder.AddContext(layer.SelfAttention);
            _decoder.Recall(layer.CrossAttention, bothStreams, i);
            _decoder.FeedForward(layer.FeedForward);
        }

        _part.Resize(batch.Count);
        Copy(_decoder.Hidden, batch.Count, _part, 0);
        _network.Head.Forward(_part, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _decoder.Dispose();
        _part.Dispose();
        _biases.Dispose();
        _logits.Dispose();
    }

    private void EmbedStreams(DecoderBatch batch, Rows hidden)
    {
        ProphetNetStack<ProphetNetDecoderLayer> decoder = _network.Decoder;
        int rows = batch.Count;
        Span<int> positions = Positions(2 * rows);
        positions[..rows].Clear();
        hidden.Resize(2 * rows);
        decoder.Tokens.Forward(batch.TokenIds, _part);
        Copy(_part, 0, hidden, 0);
        _network.PredictStream.Forward(positions[..rows], _part);
        Copy(_part, 0, hidden, rows);
        for (int row = 0; row < rows; row++)
        {
            positions[row] = batch.Positions[row] + 1;
            positions[rows + row] = batch.Positions[row] + 2;
        }

        decoder.Positions.Forward(positions, hidden, accumulate: true);
        decoder.EmbeddingNorm.Forward(hidden, hidden);
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
