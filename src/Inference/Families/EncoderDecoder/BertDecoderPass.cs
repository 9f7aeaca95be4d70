using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of BERT and RoBERTa as decoder, as models/bert/modeling_bert.py and models/roberta/modeling_roberta.py
/// of transformers have it: the encoder's blocks with attention to the source in the middle, and a head with a dense layer.
/// </summary>
// A block is x = norm(x + attention(x)), x = norm(x + attention-to-source(x)), x = norm(x + feed-forward(x)).
internal sealed class BertDecoderPass : IDecoderPass
{
    private readonly BertDecoder _network;
    private readonly BertConfiguration _configuration;
    private readonly MultiHeadAttention _attention;
    private readonly Rows _hidden;
    private readonly Rows _queryKeyValue;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _wide;
    private readonly Rows _logits;

    public BertDecoderPass(BertDecoder network, BertConfiguration configuration, Device device)
    {
        int width = configuration.ModelWidth;
        int headWidth = width / configuration.Heads;
        _network = network;
        _configuration = configuration;
        _attention = MultiHeadAttention.Create(configuration.Heads, headWidth, Math.Pow(headWidth, -0.5), device);
        _hidden = new Rows(width, device);
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
        int[] positions = new int[batch.Count];
        BertPositions.Of(batch, _configuration, positions);
        _network.Tokens.Forward(batch.TokenIds, _hidden);
        _network.Positions.Forward(positions, _hidden, accumulate: true);
        _network.EmbeddingNorm.Forward(_hidden, _hidden);
        for (int i = 0; i < _network.Layers.Count; i++)
        {
            BartDecoderLayer layer = _network.Layers[i];
            layer.SelfAttention.QueryKeyValue.Forward(_hidden, _queryKeyValue);
            _attention.Decode(_queryKeyValue, batch, i, bias: null, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.SelfAttention.Norm.Forward(_hidden, _hidden);

            layer.CrossAttention.Query.Forward(_hidden, _query);
            _attention.Recall(_query, batch, i, _context);
            layer.CrossAttention.Output.Forward(_context, _hidden, accumulate: true);
            layer.CrossAttention.Norm.Forward(_hidden, _hidden);

            layer.FeedForward.Input.Forward(_hidden, _wide, _configuration.Activation);
            layer.FeedForward.Output.Forward(_wide, _hidden, accumulate: true);
            layer.FeedForward.Norm.Forward(_hidden, _hidden);
        }

        // RoBERTa's head has this one activation, whatever the layers have.
        _network.HeadDense.Forward(
            _hidden,
            _context,
            _configuration.IsRoberta ? Activation.Gelu : _configuration.Activation
        );
        _network.HeadNorm.Forward(_context, _context);
        _network.Head.Forward(_context, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _attention.Dispose();
        foreach (Rows rows in (Rows[])[_hidden, _queryKeyValue, _query, _keyValue, _context, _wide, _logits])
        {
            rows.Dispose();
        }
    }
}
