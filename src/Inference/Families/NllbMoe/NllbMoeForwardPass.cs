using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.M2M100;
using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.NllbMoe;

/// <summary>
/// The forward pass of NLLB-MoE (Costa-jussà et al. 2022, arXiv 2207.04672), as models/nllb_moe/modeling_nllb_moe.py of
/// transformers 5.17 has it: M2M-100's, with a router and experts instead of the feed-forward in some layers.
/// </summary>
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)):
// see PreNormSublayers. A sparse feed-forward gives a token w₁ e₁(x) + w₂ e₂(x) of its two experts: see NllbMoeRouting.
internal sealed class NllbMoeForwardPass : IForwardPass
{
    private readonly NllbMoeNetwork _network;
    private readonly PreNormSublayers _encoder;
    private readonly PreNormSublayers _decoder;
    private readonly FairseqPositions _positions;
    private readonly ExpertDispatch _dispatch;
    private readonly Rows _routing;
    private readonly Rows _encoderWide;
    private readonly Rows _decoderWide;
    private readonly Rows _logits;
    private readonly List<int> _groupStarts = [];
    private readonly List<ExpertRoute> _routes = [];

    public NllbMoeForwardPass(NllbMoeNetwork network)
    {
        BartConfiguration configuration = network.Configuration;
        Device device = network.Shape.Device;
        _network = network;
        _encoder = new PreNormSublayers(configuration.EncoderShape, device);
        _decoder = new PreNormSublayers(configuration.DecoderShape, device);
        _positions = new FairseqPositions(configuration.ModelWidth, configuration.PaddingToken!.Value, device);
        _dispatch = new ExpertDispatch(configuration.ModelWidth, device);
        _routing = new Rows(network.Sparse.Experts, device);
        _encoderWide = new Rows(configuration.EncoderFeedForwardWidth, device);
        _decoderWide = new Rows(configuration.DecoderFeedForwardWidth, device);
        _logits = new Rows(configuration.VocabularySize, device);
    }

    public Rows Encode(SourceBatch source)
    {
        GroupByLine(source);
        _network.Encoder.Tokens.Forward(source.TokenIds, _encoder.Hidden);
        _positions.Add(source, _encoder.Hidden);
        foreach (NllbMoeEncoderLayer layer in _network.Encoder.Layers)
        {
            _encoder.Attend(layer.SelfAttention, source);
            FeedForward(layer.FeedForward, _encoder, _encoderWide);
        }

        _network.Encoder.FinalNorm!.Forward(_encoder.Hidden, _encoder.Hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            _decoder.Remember(_network.Decoder.Layers[i].CrossAttention, _encoder.Hidden, source, i);
        }

        return _encoder.Hidden;
    }

    public Rows Decode(DecoderBatch batch)
    {
        GroupByLine(batch);
        _network.Decoder.Tokens.Forward(batch.TokenIds, _decoder.Hidden);
        _positions.Add(batch, _decoder.Hidden);
        for (int i = 0; i < _network.Decoder.Layers.Count; i++)
        {
            NllbMoeDecoderLayer layer = _network.Decoder.Layers[i];
            _decoder.Attend(layer.SelfAttention, batch, i);
            _decoder.Recall(layer.CrossAttention, batch, i);
            FeedForward(layer.FeedForward, _decoder, _decoderWide);
        }

        _network.Decoder.FinalNorm!.Forward(_decoder.Hidden, _decoder.Hidden);
        _network.Head.Forward(_decoder.Hidden, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _decoder.Dispose();
        _positions.Dispose();
        _dispatch.Dispose();
        foreach (Rows rows in (Rows[])[_routing, _encoderWide, _decoderWide, _logits])
        {
            rows.Dispose();
        }
    }

    private void FeedForward(NllbMoeFeedForward layer, PreNormSublayers sublayers, Rows wide)
    {
        if (layer.Dense is { } dense)
        {
            sublayers.FeedForward(dense);
            return;
        }

        NllbMoeExperts sparse = layer.Sparse!;
        Rows normed = sublayers.Enter(sparse.Norm);
        sparse.Router.Forward(normed, _routing);
        Route();
        _dispatch.Forward(
            normed,
            _routes,
            (expert, rows, output) =>
            {
                sparse.Experts[expert].Input.Forward(rows, wide, _network.Configuration.Activation);
                sparse.Experts[expert].Output.Forward(wide, output);
            },
            sublayers.Hidden
        );
    }

    /// <summary>The experts of every token, of lines that do not see each other.</summary>
    private void Route()
    {
        _routes.Clear();
        using Tensor onCpu = _routing.Tensor.cpu();
        ReadOnlySpan<float> logits = onCpu.FloatSpan();
        for (int group = 0; group < _groupStarts.Count - 1; group++)
        {
            (int start, int end) = (_groupStarts[group], _groupStarts[group + 1]);
            ReadOnlySpan<float> own = logits[(start * _routing.Width)..(end * _routing.Width)];
            TokenExperts[] tokens = _network.Sparse.Routing.Route(own, _routing.Width);
            for (int i = 0; i < tokens.Length; i++)
            {
                TokenExperts token = _network.Sparse.Computed(tokens[i]);
                Send(start + i, token.First, token.FirstWeight);
                Send(start + i, token.Second, token.SecondWeight);
            }
        }
    }

    private void Send(int row, int expert, float weight)
    {
        if (weight != 0)
        {
            _routes.Add(new ExpertRoute(row, expert, weight * _network.Sparse.ExpertScale));
        }
    }

    private void GroupByLine(SourceBatch source)
    {
        _groupStarts.Clear();
        _groupStarts.AddRange(source.Starts);
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
