using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of BERT (Devlin et al. 2018, arXiv 1810.04805) and RoBERTa (Liu et al. 2019, arXiv 1907.11692) as
/// encoder: a norm after each block's residual sum, positions and token types added to the embeddings.
/// </summary>
// A block is x = norm(x + attention(x)), x = norm(x + feed-forward(x)): see PostNormSublayers.
internal sealed class BertEncoderPass(BertEncoder network, BertConfiguration configuration, Device device) : IDisposable
{
    private readonly PostNormSublayers _sublayers = new(configuration.SublayerShape, device);

    /// <summary>The last hidden states, <c>[tokens, model width]</c>; valid until the next call.</summary>
    public Rows Encode(SourceBatch source)
    {
        Rows hidden = _sublayers.Hidden;
        network.Tokens.Forward(source.TokenIds, hidden);
        network.Positions.Forward(BertPositions.Of(source, configuration), hidden, accumulate: true);
        network.EmbeddingNorm.Forward(hidden, hidden);
        foreach (BartEncoderLayer layer in network.Layers)
        {
            _sublayers.Attend(layer.SelfAttention, source);
            _sublayers.FeedForward(layer.FeedForward);
        }

        return hidden;
    }

    public void Dispose() => _sublayers.Dispose();
}
