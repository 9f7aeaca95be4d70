using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of BERT (Devlin et al. 2018, arXiv 1810.04805) and RoBERTa (Liu et al. 2019, arXiv 1907.11692) as
/// encoder: a norm after each block's residual sum, positions and token types added to the embeddings.
/// </summary>
// A block is x = norm(x + attention(x)), x = norm(x + feed-forward(x)).
internal sealed class BertEncoderPass : IDisposable
{
    private readonly BertEncoder _network;
    private readonly BertConfiguration _configuration;
    private readonly MultiHeadAttention _attention;
    private readonly Rows _hidden;
    private readonly Rows _queryKeyValue;
    private readonly Rows _context;
    private readonly Rows _wide;

    public BertEncoderPass(BertEncoder network, BertConfiguration configuration, Device device)
    {
        int width = configuration.ModelWidth;
        int headWidth = width / configuration.Heads;
        _network = network;
        _configuration = configuration;
        _attention = MultiHeadAttention.Create(configuration.Heads, headWidth, Math.Pow(headWidth, -0.5), device);
        _hidden = new Rows(width, device);
        _queryKeyValue = new Rows(3 * width, device);
        _context = new Rows(width, device);
        _wide = new Rows(configuration.FeedForwardWidth, device);
    }

    /// <summary>The last hidden states, <c>[tokens, model width]</c>; valid until the next call.</summary>
    public Rows Encode(SourceBatch source)
    {
        _network.Tokens.Forward(source.TokenIds, _hidden);
        _network.Positions.Forward(BertPositions.Of(source, _configuration), _hidden, accumulate: true);
        _network.EmbeddingNorm.Forward(_hidden, _hidden);
        foreach (BartEncoderLayer layer in _network.Layers)
        {
            layer.SelfAttention.QueryKeyValue.Forward(_hidden, _queryKeyValue);
            _attention.Encode(_queryKeyValue, source, bias: null, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.SelfAttention.Norm.Forward(_hidden, _hidden);

            layer.FeedForward.Input.Forward(_hidden, _wide, _configuration.Activation);
            layer.FeedForward.Output.Forward(_wide, _hidden, accumulate: true);
            layer.FeedForward.Norm.Forward(_hidden, _hidden);
        }

        return _hidden;
    }

    public void Dispose()
    {
        _attention.Dispose();
        foreach (Rows rows in (Rows[])[_hidden, _queryKeyValue, _context, _wide])
        {
            rows.Dispose();
        }
    }
}
