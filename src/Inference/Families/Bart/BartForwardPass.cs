using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Bart;

/// <summary>
/// The forward pass of BART (Lewis et al. 2019, arXiv 1910.13461), as models/bart/modeling_bart.py of transformers has it:
/// a norm after each block's residual sum, biases everywhere, positions added to the embeddings. Families after it changed
/// where norms stand, how tokens are embedded and what the encoder's tokens see.
/// </summary>
// A block is x = norm(x + attention(x)), in the decoder x = norm(x + attention-to-source(x)), x = norm(x + feed-forward(x)):
// see PostNormSublayers.
internal class BartForwardPass : IForwardPass
{
    private readonly BartNetwork _network;
    private readonly BartSublayers _decoder;
    private readonly Rows _logits;

    public BartForwardPass(BartNetwork network)
        : this(network, (shape, device) => new PostNormSublayers(shape, device)) { }

    protected BartForwardPass(BartNetwork network, Func<BartSublayerShape, Device, BartSublayers> createSublayers)
    {
        Device device = network.Shape.Device;
        _network = network;
        Encoder = createSublayers(network.Configuration.EncoderShape, device);
        _decoder = createSublayers(network.Configuration.DecoderShape, device);
        _logits = new Rows(network.Configuration.VocabularySize, device);
    }

    /// <summary>The encoder's sub-layers.</summary>
    protected BartSublayers Encoder { get; }

    public virtual Rows Encode(SourceBatch source)
    {
        EmbedSource(source, Encoder.Hidden);
        for (int i = 0; i < _network.Encoder.Layers.Count; i++)
        {
            BartEncoderLayer layer = _network.Encoder.Layers[i];
            Encoder.Project(layer.SelfAttention);
            AttendToSource(i, source, Encoder.QueryKeyValue, Encoder.Context);
            Encoder.AddContext(layer.SelfAttention);
            Encoder.FeedForward(layer.FeedForward);
        }

        _network.Encoder.FinalNorm?.Forward(Encoder.Hidden, Encoder.Hidden);
        Remember(Encoder.Hidden, source);
        return Encoder.Hidden;
    }

    public Rows Decode(DecoderBatch batch)
    {
        EmbedTarget(batch, _decoder.Hidden);
        _decoder.Decode(_network.Decoder.Layers, batch);
        _network.Decoder.FinalNorm?.Forward(_decoder.Hidden, _decoder.Hidden);
        _network.Head.Forward(_decoder.Hidden, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Encoder.Dispose();
        _decoder.Dispose();
        _logits.Dispose();
    }

    protected virtual void EmbedSource(SourceBatch source, Rows hidden) =>
        Embed(_network.Encoder, source.TokenIds, source.Positions, hidden);

    protected virtual void EmbedTarget(DecoderBatch batch, Rows hidden) =>
        Embed(_network.Decoder, batch.TokenIds, batch.Positions, hidden);

    /// <summary>Self-attention of an encoder's layer: <c>[query | key | value]</c> → context.</summary>
    protected virtual void AttendToSource(int layer, SourceBatch source, Rows queryKeyValue, Rows context) =>
        Encoder.Attention.Encode(queryKeyValue, source, bias: null, context);

    /// <summary>Keeps the keys and values of the encoder's states for every layer of the decoder.</summary>
    protected void Remember(Rows states, SourceBatch source) =>
        _decoder.Remember(_network.Decoder.Layers, states, source);

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
}
