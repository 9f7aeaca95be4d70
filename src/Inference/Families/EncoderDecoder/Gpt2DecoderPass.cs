using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of GPT-2 (Radford et al. 2019) as decoder of a source, as models/gpt2/modeling_gpt2.py of transformers
/// has it: a norm before each block, learned positions.
/// </summary>
// A block is x = x + attention(norm(x)), x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)).
internal sealed class Gpt2DecoderPass : IDecoderPass
{
    private readonly Gpt2Decoder _network;
    private readonly Gpt2Configuration _configuration;
    private readonly MultiHeadAttention _attention;
    private readonly Rows _hidden;
    private readonly Rows _normed;
    private readonly Rows _queryKeyValue;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _wide;
    private readonly Rows _logits;

    public Gpt2DecoderPass(Gpt2Decoder network, Gpt2Configuration configuration, Device device)
    {
        int width = configuration.ModelWidth;
        int headWidth = width / configuration.Heads;
        double scale = configuration.ScalesScores ? Math.Pow(headWidth, -0.5) : 1;
        _network = network;
        _configuration = configuration;
        _attention = MultiHeadAttention.Create(configuration.Heads, headWidth, scale, device);
        _hidden = new Rows(width, device);
        _normed = new Rows(width, device);
        _queryKeyValue = new Rows(3 * width, device);
        _query = new Rows(width, device);
        _keyValue = new Rows(2 * width, device);
        _context = new Rows(width, device);
        _wide = new Rows(configuration.FeedForwardWidth, device);
        _logits = new Rows(configuration.VocabularySize, device);
    }

    public void Remember(Rows encoded, SourceBatch source)
    {
        for (int i = 0; i < _network.Layers.Count; i++)
        {
            _network.Layers[i].CrossAttention.KeyValue.Forward(encoded, _keyValue);
            _attention.Remember(_keyValue, source, i);
        }
    }

    public Rows Decode(DecoderBatch batch)
    {
        _network.Tokens.Forward(batch.TokenIds, _hidden);
        _network.Positions.Forward(batch.Positions, _hidden, accumulate: true);
        for (int i = 0; i < _network.Layers.Count; i++)
        {
            BartDecoderLayer layer = _network.Layers[i];
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _attention.Decode(_queryKeyValue, batch, i, bias: null, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);

            layer.CrossAttention.Norm.Forward(_hidden, _normed);
            layer.CrossAttention.Query.Forward(_normed, _query);
            _attention.Recall(_query, batch, i, _context);
            layer.CrossAttention.Output.Forward(_context, _hidden, accumulate: true);

            layer.FeedForward.Norm.Forward(_hidden, _normed);
            layer.FeedForward.Input.Forward(_normed, _wide, _configuration.Activation);
            layer.FeedForward.Output.Forward(_wide, _hidden, accumulate: true);
        }

        _network.FinalNorm.Forward(_hidden, _normed);
        _network.Head.Forward(_normed, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _attention.Dispose();
        foreach (Rows rows in (Rows[])[_hidden, _normed, _queryKeyValue, _query, _keyValue, _context, _wide, _logits])
        {
            rows.Dispose();
        }
    }
}
