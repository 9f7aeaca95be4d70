using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.PegasusX;

/// <summary>
/// The forward pass of PEGASUS-X (Phang et al. 2022, arXiv 2208.04347), as models/pegasus_x/modeling_pegasus_x.py of
/// transformers has it: PEGASUS's decoder, and an encoder whose tokens see their block and some global tokens, which go
/// through the layers beside them.
/// </summary>
// The encoder's rows are the tokens of all lines, then the global tokens of each line. A block is
// x = x + attention(norm(x)), x = x + feed-forward(norm(x)), where global tokens have a norm of their own before attention.
internal sealed class PegasusXForwardPass : MbartForwardPass
{
    private readonly PegasusXNetwork _network;
    private readonly EndlessPositions _positions;
    private readonly AttentionPattern _pattern = new();
    private readonly Rows _tokens;
    private readonly Rows _globals;
    private readonly Rows _hidden;
    private readonly Rows _normed;
    private readonly Rows _queryKeyValue;
    private readonly Rows _context;
    private readonly Rows _wide;

    public PegasusXForwardPass(PegasusXNetwork network)
        : base(network.Base)
    {
        BartConfiguration configuration = network.Base.Configuration;
        Device device = network.Shape.Device;
        int width = configuration.ModelWidth;
        _network = network;
        _positions = new EndlessPositions(width, paddingRow: null, device);
        _tokens = new Rows(width, device);
        _globals = new Rows(width, device);
        _hidden = new Rows(width, device);
        _normed = new Rows(width, device);
        _queryKeyValue = new Rows(3 * width, device);
        _context = new Rows(width, device);
        _wide = new Rows(configuration.EncoderFeedForwardWidth, device);
    }

    public override Rows Encode(SourceBatch source)
    {
        BartStack<BartEncoderLayer> encoder = _network.Base.Encoder;
        Embed(source);
        for (int i = 0; i < encoder.Layers.Count; i++)
        {
            BartEncoderLayer layer = encoder.Layers[i];
            layer.SelfAttention.Norm.Forward(_hidden, _normed);
            NormGlobals(_network.GlobalNorms[i], source.Tokens);
            layer.SelfAttention.QueryKeyValue.Forward(_normed, _queryKeyValue);
            _network.Blocks.Fill(_pattern, source, i);
            EncoderAttention.Attend(_queryKeyValue, _pattern, _context);
            layer.SelfAttention.Output.Forward(_context, _hidden, accumulate: true);

            layer.FeedForward.Norm.Forward(_hidden, _normed);
            layer.FeedForward.Input.Forward(_normed, _wide, _network.Base.Configuration.Activation);
            layer.FeedForward.Output.Forward(_wide, _hidden, accumulate: true);
        }

        Copy(_hidden, 0, _tokens, 0, source.Tokens);
        encoder.FinalNorm!.Forward(_tokens, _tokens);
        Remember(_tokens, source);
        return _tokens;
    }

    protected override void EmbedTarget(DecoderBatch batch, Rows hidden)
    {
        _network.Base.Decoder.Tokens.Forward(batch.TokenIds, hidden);
        _positions.Add(batch.Positions, hidden);
    }

    protected override void Dispose(bool disposing)
    {
        _positions.Dispose();
        foreach (Rows rows in (Rows[])[_tokens, _globals, _hidden, _normed, _queryKeyValue, _context, _wide])
        {
            rows.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Embed(SourceBatch source)
    {
        int globals = _network.Blocks.GlobalTokens;
        int[] globalIds = new int[source.Lines * globals];
        for (int i = 0; i < globalIds.Length; i++)
        {
            globalIds[i] = i % globals;
        }

        _network.Base.Encoder.Tokens.Forward(source.TokenIds, _tokens);
        _positions.Add(source.Positions, _tokens);
        _network.GlobalTokens.Forward(globalIds, _globals);
        _hidden.Resize(_tokens.Count + _globals.Count);
        Copy(_tokens, 0, _hidden, 0, _tokens.Count);
        Copy(_globals, 0, _hidden, _tokens.Count, _globals.Count);
    }

    private void NormGlobals(LayerNorm norm, int tokens)
    {
        Copy(_hidden, tokens, _globals, 0, _globals.Count);
        norm.Forward(_globals, _globals);
        Copy(_globals, 0, _normed, tokens, _globals.Count);
    }

    private static void Copy(Rows from, int fromStart, Rows to, int toStart, int count)
    {
        using Tensor source = from.Tensor.narrow(0, fromStart, count);
        using Tensor target = to.Tensor.narrow(0, toStart, count);
        target.copy_(source);
    }
}
