using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.SwitchTransformers;

/// <summary>
/// The forward pass of Switch Transformers (Fedus et al. 2021, arXiv 2101.03961, section 2.1), as
/// models/switch_transformers/modeling_switch_transformers.py of transformers 5.17 has it: T5, but in some layers a token
/// goes through the feed-forward of the one expert that the router finds likeliest, and its result is multiplied by that
/// probability. No token is dropped for an expert's capacity.
/// </summary>
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)).
internal sealed class SwitchForwardPass : IForwardPass
{
    private readonly SwitchNetwork _network;
    private readonly MultiHeadAttention _attention;
    private readonly ExpertDispatch _dispatch;
    private readonly List<ExpertRoute> _routes = [];
    private readonly PositionBias _encoderBias;
    private readonly PositionBias _decoderBias;
    private readonly Rows _hidden;
    private readonly Rows _normed;
    private readonly Rows _queryKeyValue;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _wide;
    private readonly Rows _routing;
    private readonly Rows _logits;

    public SwitchForwardPass(SwitchNetwork network)
    {
        T5Configuration configuration = network.Configuration.T5;
        Device device = network.Shape.Device;
        _network = network;
        _attention = MultiHeadAttention.Create(configuration.Heads, configuration.HeadWidth, scale: 1, device);
        _dispatch = new ExpertDispatch(configuration.ModelWidth, device);
        _encoderBias = Bias(network.Encoder.Layers[0].SelfAttention.Bias!, isBidirectional: true);
        _decoderBias = Bias(network.Decoder.Layers[0].SelfAttention.Bias!, isBidirectional: false);
        _hidden = new Rows(configuration.ModelWidth, device);
        _normed = new Rows(configuration.ModelWidth, device);
        _queryKeyValue = new Rows(3 * configuration.InnerWidth, device);
        _query = new Rows(configuration.InnerWidth, device);
        _keyValue = new Rows(2 * configuration.InnerWidth, device);
        _context = new Rows(configuration.InnerWidth, device);
        _wide = new Rows(configuration.FeedForwardWidth, device);
        _routing = new Rows(network.Configuration.Experts, device);
        _logits = new Rows(configuration.VocabularySize, device);

        PositionBias Bias(Tensor table, bool isBidirectional) =>
            new(
                distances =>
                    T5Buckets.Bias(
                        table,
                        distances,
                        isBidirectional,
                        configuration.BiasBuckets,
                        configuration.BiasMaxDistance
                    ),
                device
            );
    }

    public Rows Encode(SourceBatch source)
    {
        _network.Encoder.Tokens.Forward(source.TokenIds, _hidden);
        foreach (SwitchEncoderLayer layer in _network.Encoder.Layers)
        {
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _attention.Encode(_queryKeyValue, source, _encoderBias, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            FeedForward(layer.FeedForward);
        }

        _network.Encoder.FinalNorm.Forward(_hidden, _normed);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _network.Decoder.Layers[i].CrossAttention.KeyValue.Forward(_normed, _keyValue);
            _attention.Remember(_keyValue, source, i);
        }

        return _normed;
    }

    public Rows Decode(DecoderBatch batch)
    {
        _network.Decoder.Tokens.Forward(batch.TokenIds, _hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            SwitchDecoderLayer layer = _network.Decoder.Layers[i];
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _attention.Decode(_queryKeyValue, batch, i, _decoderBias, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);

            layer.CrossAttention.Norm.Forward(_hidden, _normed);
            layer.CrossAttention.Query.Forward(_normed, _query);
            _attention.Recall(_query, batch, i, _context);
            layer.CrossAttention.Output.Forward(_context, _hidden, accumulate: true);
            FeedForward(layer.FeedForward);
        }

        _network.Decoder.FinalNorm.Forward(_hidden, _normed);
        _network.Head.Forward(_normed, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _attention.Dispose();
        _dispatch.Dispose();
        _encoderBias.Dispose();
        _decoderBias.Dispose();
        foreach (
            Rows rows in (Rows[])
                [_hidden, _normed, _queryKeyValue, _query, _keyValue, _context, _wide, _routing, _logits]
        )
        {
            rows.Dispose();
        }
    }

    private void FeedForward(SwitchFeedForward layer)
    {
        if (layer.Dense is { } dense)
        {
            dense.Norm.Forward(_hidden, _normed);
            dense.Input.Forward(_normed, _wide, _network.Configuration.T5.Activation);
            dense.Output.Forward(_wide, _hidden, accumulate: true);
            return;
        }

        SwitchExperts sparse = layer.Sparse!;
        sparse.Norm.Forward(_hidden, _normed);
        sparse.Router.Forward(_normed, _routing);
        Route();
        _dispatch.Forward(
            _normed,
            _routes,
            (expert, rows, output) =>
            {
                sparse.Experts[expert].Input.Forward(rows, _wide, _network.Configuration.T5.Activation);
                sparse.Experts[expert].Output.Forward(_wide, output);
            },
            _hidden
        );
    }

    /// <summary>Each row's likeliest expert, with its probability.</summary>
    private void Route()
    {
        _routes.Clear();
        using Tensor onCpu = _routing.Tensor.cpu();
        ReadOnlySpan<float> all = onCpu.FloatSpan();
        for (int row = 0; row < _routing.Count; row++)
        {
            ReadOnlySpan<float> logits = all.Slice(row * _routing.Width, _routing.Width);
            int best = 0;
            for (int expert = 1; expert < logits.Length; expert++)
            {
                best = logits[expert] > logits[best] ? expert : best;
            }

            float sum = 0;
            foreach (float logit in logits)
            {
                sum += MathF.Exp(logit - logits[best]);
            }

            _routes.Add(new ExpertRoute(row, best, 1 / sum));
        }
    }
}
