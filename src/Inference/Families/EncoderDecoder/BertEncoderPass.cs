using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of BERT (Devlin et al. 2018, arXiv 1810.04805) and its kind (RoBERTa: Liu et al. 2019, arXiv 1907.11692)
/// as encoder: a norm after each block's residual sum, positions and token types added to the embeddings.
/// </summary>
// A block is x = norm(x + attention(x)), x = norm(x + feed-forward(x)): see PostNormSublayers.
internal sealed class BertEncoderPass(BertEncoder network, Device device) : IEncoderPass
{
    private readonly BertConfiguration _configuration = network.Configuration;
    private readonly PostNormSublayers _sublayers = new(network.Configuration.SublayerShape, device);
    private readonly BertEmbeddingsPass _embeddings = new(network.Embeddings, device);

    public Rows Encode(SourceBatch source)
    {
        Rows hidden = _sublayers.Hidden;
        AttentionWindow? window = _configuration.IsCausal ? AttentionWindow.Causal : null;
        _embeddings.Forward(source.TokenIds, BertPositions.Of(source, _configuration), hidden);
        foreach (BartEncoderLayer layer in network.Layers)
        {
            _sublayers.Attend(layer.SelfAttention, source, window);
            _sublayers.FeedForward(layer.FeedForward);
        }

        return hidden;
    }

    public void Dispose()
    {
        _sublayers.Dispose();
        _embeddings.Dispose();
    }
}
