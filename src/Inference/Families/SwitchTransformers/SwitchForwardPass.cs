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
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)):
// see T5Sublayers.
internal sealed class SwitchForwardPass : IForwardPass
{
    private readonly SwitchNetwork _network;
    private readonly T5Sublayers _sublayers;
    private readonly PositionBias _encoderBias;
    private readonly PositionBias _decoderBias;
    private readonly ExpertDispatch _dispatch;
    private readonly List<ExpertRoute> _routes = [];
    private readonly Rows _routing;
    private readonly Rows _wide;

    public SwitchForwardPass(SwitchNetwork network)
    {
        T5Configuration configuration = network.Configuration;
        Device device = network.Shape.Device;
        _network = network;
        _sublayers = new T5Sublayers(configuration, device);
        _encoderBias = _sublayers.Bias(network.Encoder.Layers[0].SelfAttention.Bias!, isBidirectional: true);
        _decoderBias = _sublayers.Bias(network.Decoder.Layers[0].SelfAttention.Bias!, isBidirectional: false);
        _dispatch = new ExpertDispatch(configuration.ModelWidth, device);
        _routing = new Rows(network.Experts, device);
        _wide = new Rows(configuration.FeedForwardWidth, device);
    }

    public Rows Encode(SourceBatch source)
    {
        _network.Encoder.Tokens.Forward(source.TokenIds, _sublayers.Hidden);
        foreach (SwitchEncoderLayer layer in _network.Encoder.Layers)
        {
            _sublayers.Attend(layer.SelfAttention, source, _encoderBias);
            FeedForward(layer.FeedForward);
        }

        Rows states = _sublayers.Finish(_network.Encoder.FinalNorm);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _sublayers.Remember(_network.Decoder.Layers[i].CrossAttention, source, i);
        }

        return states;
    }

    public Rows Decode(DecoderBatch batch)
    {
        _network.Decoder.Tokens.Forward(batch.TokenIds, _sublayers.Hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            SwitchDecoderLayer layer = _network.Decoder.Layers[i];
            _sublayers.Attend(layer.SelfAttention, batch, i, _decoderBias);
            _sublayers.Recall(layer.CrossAttention, batch, i);
            FeedForward(layer.FeedForward);
        }

        _sublayers.Finish(_network.Decoder.FinalNorm);
        return _sublayers.Logits(_network.Head, batch);
    }

    public void Dispose()
    {
        _sublayers.Dispose();
        _encoderBias.Dispose();
        _decoderBias.Dispose();
        _dispatch.Dispose();
        _routing.Dispose();
        _wide.Dispose();
    }

    private void FeedForward(SwitchFeedForward layer)
    {
        if (layer.Dense is { } dense)
        {
            _sublayers.FeedForward(dense);
            return;
        }

        SwitchExperts sparse = layer.Sparse!;
        sparse.Norm.Forward(_sublayers.Hidden, _sublayers.Normed);
        sparse.Router.Forward(_sublayers.Normed, _routing);
        Route();
        _dispatch.Forward(
            _sublayers.Normed,
            _routes,
            (expert, rows, output) =>
            {
                sparse.Experts[expert].Input.Forward(rows, _wide, _network.Configuration.Activation);
                sparse.Experts[expert].Output.Forward(_wide, output);
            },
            _sublayers.Hidden
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
