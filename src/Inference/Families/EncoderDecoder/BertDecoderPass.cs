using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of BERT and its kind as decoder, as the <c>…ForCausalLM</c> classes of transformers have it: the encoder's
/// blocks with attention to the source in the middle, and a head that most have a dense layer in.
/// </summary>
// A block is x = norm(x + attention(x)), x = norm(x + attention-to-source(x)), x = norm(x + feed-forward(x)): see
// PostNormSublayers.
internal sealed class BertDecoderPass(BertDecoder network, Device device) : IDecoderPass
{
    private readonly BertConfiguration _configuration = network.Configuration;
    private readonly PostNormSublayers _sublayers = new(network.Configuration.SublayerShape, device);
    private readonly BertEmbeddingsPass _embeddings = new(network.Embeddings, device);
    private readonly Rows _headOutput = new(network.Configuration.EmbeddingWidth, device);
    private readonly Rows _logits = new(network.Configuration.VocabularySize, device);

    public void Remember(Rows encoded, SourceBatch source) => _sublayers.Remember(network.Layers, encoded, source);

    public Rows Decode(DecoderBatch batch)
    {
        Rows hidden = _sublayers.Hidden;
        int[] positions = new int[batch.Count];
        BertPositions.Of(batch, _configuration, positions);
        _embeddings.Forward(batch.TokenIds, positions, hidden);
        _sublayers.Decode(network.Layers, batch);
        network.Projection.Forward(network.HeadLayer is { } head ? Apply(head, hidden) : hidden, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _sublayers.Dispose();
        _embeddings.Dispose();
        _headOutput.Dispose();
        _logits.Dispose();
    }

    private Rows Apply(BertHead head, Rows hidden)
    {
        Activation activation = _configuration.Variant.HeadFollowsLayers ? _configuration.Activation : Activation.Gelu;
        head.Dense.Forward(hidden, _headOutput, activation);
        head.Norm.Forward(_headOutput, _headOutput);
        return _headOutput;
    }
}
