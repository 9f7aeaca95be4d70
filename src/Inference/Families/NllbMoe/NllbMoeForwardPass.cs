using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.M2M100;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.NllbMoe;

/// <summary>
/// The forward pass of NLLB-MoE (Costa-jussà et al. 2022, arXiv 2207.04672), as models/nllb_moe/modeling_nllb_moe.py of
/// transformers 5.17 has it: M2M-100's, with a router and experts instead of the feed-forward in some layers.
/// </summary>
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)).
// A sparse feed-forward gives a token w₁ e₁(x) + w₀ e₀(x): NllbMoeExperts.forward of 5.17 takes the mask of likeliest experts
// for a list of experts' numbers, so that expert 1 stands for every token's likeliest expert and expert 0 for all others.
internal sealed class NllbMoeForwardPass : IForwardPass
{
    private readonly NllbMoeNetwork _network;
    private readonly MultiHeadAttention _encoderAttention;
    private readonly MultiHeadAttention _decoderAttention;
    private readonly FairseqPositions _positions;
    private readonly Rows _hidden;
    private readonly Rows _normed;
    private readonly Rows _queryKeyValue;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _context;
    private readonly Rows _encoderWide;
    private readonly Rows _decoderWide;
    private readonly Rows _routed;
    private readonly Rows _expertOutput;
    private readonly Rows _logits;
    private readonly List<int> _groupStarts = [];

    public NllbMoeForwardPass(NllbMoeNetwork network)
    {
        BartConfiguration configuration = network.Configuration.Base;
        Device device = network.Shape.Device;
        int width = configuration.ModelWidth;
        _network = network;
        _encoderAttention = Attention(configuration.EncoderHeads);
        _decoderAttention = Attention(configuration.DecoderHeads);
        _positions = new FairseqPositions(width, configuration.PaddingToken!.Value, device);
        _hidden = new Rows(width, device);
        _normed = new Rows(width, device);
        _queryKeyValue = new Rows(3 * width, device);
        _query = new Rows(width, device);
        _keyValue = new Rows(2 * width, device);
        _context = new Rows(width, device);
        _encoderWide = new Rows(configuration.EncoderFeedForwardWidth, device);
        _decoderWide = new Rows(configuration.DecoderFeedForwardWidth, device);
        _routed = new Rows(network.Configuration.Experts, device);
        _expertOutput = new Rows(width, device);
        _logits = new Rows(configuration.VocabularySize, device);

        MultiHeadAttention Attention(int heads) =>
            MultiHeadAttention.Create(heads, width / heads, scale: Math.Pow(width / heads, -0.5), device);
    }

    public Rows Encode(SourceBatch source)
    {
        _groupStarts.Clear();
        _groupStarts.AddRange(source.Starts);
        _network.Encoder.Tokens.Forward(source.TokenIds, _hidden);
        _positions.Add(source, _hidden);
        foreach (NllbMoeEncoderLayer layer in _network.Encoder.Layers)
        {
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _encoderAttention.Encode(_queryKeyValue, source, bias: null, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);
            FeedForward(layer.FeedForward, _encoderWide);
        }

        _network.Encoder.FinalNorm!.Forward(_hidden, _hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _network.Decoder.Layers[i].CrossAttention.KeyValue.Forward(_hidden, _keyValue);
            _decoderAttention.Remember(_keyValue, source, i);
        }

        return _hidden;
    }

    public Rows Decode(DecoderBatch batch)
    {
        GroupByLine(batch);
        _network.Decoder.Tokens.Forward(batch.TokenIds, _hidden);
        _positions.Add(batch, _hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            NllbMoeDecoderLayer layer = _network.Decoder.Layers[i];
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _decoderAttention.Decode(_queryKeyValue, batch, i, bias: null, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);

            layer.CrossAttention.Norm.Forward(_hidden, _normed);
            layer.CrossAttention.Query.Forward(_normed, _query);
            _decoderAttention.Recall(_query, batch, i, _context);
            layer.CrossAttention.Output.Forward(_context, _hidden, accumulate: true);
            FeedForward(layer.FeedForward, _decoderWide);
        }

        _network.Decoder.FinalNorm!.Forward(_hidden, _hidden);
        _network.Head.Forward(_hidden, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _encoderAttention.Dispose();
        _decoderAttention.Dispose();
        _positions.Dispose();
        foreach (
            Rows rows in (Rows[])
                [
                    _hidden,
                    _normed,
                    _queryKeyValue,
                    _query,
                    _keyValue,
                    _context,
                    _encoderWide,
                    _decoderWide,
                    _routed,
                    _expertOutput,
                    _logits,
                ]
        )
        {
            rows.Dispose();
        }
    }

    private void FeedForward(NllbMoeFeedForward layer, Rows wide)
    {
        Activation activation = _network.Configuration.Base.Activation;
        layer.Norm.Forward(_hidden, _normed);
        if (layer.Router is null)
        {
            layer.Experts[0].Input.Forward(_normed, wide, activation);
            layer.Experts[0].Output.Forward(wide, _hidden, accumulate: true);
            return;
        }

        layer.Router.Forward(_normed, _routed);
        float[][] weights = Route();
        for (int i = 0; i < layer.Experts.Count; i++)
        {
            layer.Experts[i].Input.Forward(_normed, wide, activation);
            layer.Experts[i].Output.Forward(wide, _expertOutput);
            using DisposeScope scope = NewDisposeScope();
            Tensor weight = tensor(weights[i], device: _hidden.Tensor.device).unsqueeze(1);
            _hidden.Tensor.add_(_expertOutput.Tensor.mul(weight));
        }
    }

    /// <summary>Weights of the experts 0 and 1 for each token, of lines that do not see each other.</summary>
    private float[][] Route()
    {
        using Tensor onCpu = _routed.Tensor.cpu();
        ReadOnlySpan<float> logits = onCpu.FloatSpan();
        NllbMoeConfiguration configuration = _network.Configuration;
        float[] second = new float[_routed.Count];
        float[] first = new float[_routed.Count];
        for (int group = 0; group < _groupStarts.Count - 1; group++)
        {
            Range tokens = _groupStarts[group].._groupStarts[group + 1];
            Range own = (tokens.Start.Value * _routed.Width)..(tokens.End.Value * _routed.Width);
            configuration.Routing.Route(logits[own], _routed.Width, first.AsSpan(tokens), second.AsSpan(tokens));
        }

        for (int token = 0; token < _routed.Count; token++)
        {
            first[token] *= configuration.ExpertScale;
            second[token] *= configuration.ExpertScale;
        }

        return [second, first];
    }

    /// <summary>The hypotheses of one line stand side by side, and are routed together as the reference does.</summary>
    private void GroupByLine(DecoderBatch batch)
    {
        _groupStarts.Clear();
        for (int row = 0; row < batch.Count; row++)
        {
            if (row == 0 || batch.MemoryStarts[row] != batch.MemoryStarts[row - 1])
            {
                _groupStarts.Add(row);
            }
        }

        _groupStarts.Add(batch.Count);
    }
}
