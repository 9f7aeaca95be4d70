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
internal sealed class PegasusXForwardPass(PegasusXNetwork network) : MbartForwardPass(network)
{
    private readonly EndlessPositions _positions = new(
        network.Configuration.ModelWidth,
        paddingRow: null,
        network.Shape.Device
    );
    private readonly AttentionPattern _pattern = new();
    private readonly Rows _tokens = new(network.Configuration.ModelWidth, network.Shape.Device);
    private readonly Rows _globals = new(network.Configuration.ModelWidth, network.Shape.Device);

    public override Rows Encode(SourceBatch source)
    {
        EmbedAll(source);
        for (int i = 0; i < network.Encoder.Layers.Count; i++)
        {
            BartEncoderLayer layer = network.Encoder.Layers[i];
            Rows normed = Encoder.Enter(layer.SelfAttention.Norm);
            NormGlobals(network.GlobalNorms[i], source.Tokens, normed);
            layer.SelfAttention.QueryKeyValue.Forward(normed, Encoder.QueryKeyValue);
            network.Blocks.Fill(_pattern, source, i);
            Encoder.Attention.Attend(Encoder.QueryKeyValue, _pattern, Encoder.Context);
            Encoder.AddContext(layer.SelfAttention);
            Encoder.FeedForward(layer.FeedForward);
        }

        Copy(Encoder.Hidden, 0, _tokens, 0, source.Tokens);
        network.Encoder.FinalNorm!.Forward(_tokens, _tokens);
        Remember(_tokens, source);
        return _tokens;
    }

    protected override void EmbedTarget(DecoderBatch batch, Rows hidden)
    {
        network.Decoder.Tokens.Forward(batch.TokenIds, hidden);
        _positions.Add(batch.Positions, hidden);
    }

    protected override void Dispose(bool disposing)
    {
        _positions.Dispose();
        _tokens.Dispose();
        _globals.Dispose();
        base.Dispose(disposing);
    }

    private void EmbedAll(SourceBatch source)
    {
        int globals = network.Blocks.GlobalTokens;
        int[] globalIds = new int[source.Lines * globals];
        for (int i = 0; i < globalIds.Length; i++)
        {
            globalIds[i] = i % globals;
        }

        network.Encoder.Tokens.Forward(source.TokenIds, _tokens);
        _positions.Add(source.Positions, _tokens);
        network.GlobalTokens.Forward(globalIds, _globals);
        Encoder.Hidden.Resize(_tokens.Count + _globals.Count);
        Copy(_tokens, 0, Encoder.Hidden, 0, _tokens.Count);
        Copy(_globals, 0, Encoder.Hidden, _tokens.Count, _globals.Count);
    }

    private void NormGlobals(LayerNorm norm, int tokens, Rows normed)
    {
        Copy(Encoder.Hidden, tokens, _globals, 0, _globals.Count);
        norm.Forward(_globals, _globals);
        Copy(_globals, 0, normed, tokens, _globals.Count);
    }

    private static void Copy(Rows from, int fromStart, Rows to, int toStart, int count)
    {
        using Tensor source = from.Tensor.narrow(0, fromStart, count);
        using Tensor target = to.Tensor.narrow(0, toStart, count);
        target.copy_(source);
    }
}
