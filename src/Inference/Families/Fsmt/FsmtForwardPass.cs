using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.M2M100;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.Fsmt;

/// <summary>
/// The forward pass of the WMT19 translators, as models/fsmt/modeling_fsmt.py of transformers 5.17 has it: BART's blocks on
/// fairseq's sinusoidal positions, without a norm after the embeddings.
/// </summary>
// FSMTDecoder.forward counts positions within the tokens it is given. In 5.17 generate gives it one token a step, so that
// every target token has the first position; before, it gave all tokens so far.
internal sealed class FsmtForwardPass(BartNetwork network, bool hasTargetPositions) : BartForwardPass(network)
{
    private readonly BartNetwork _network = network;
    private readonly FairseqPositions _sourcePositions = Positions(network, network.Encoder.Positions);
    private readonly FairseqPositions _targetPositions = Positions(network, network.Decoder.Positions);

    protected override void EmbedSource(SourceBatch source, Rows hidden)
    {
        _network.Encoder.Tokens.Forward(source.TokenIds, hidden);
        _sourcePositions.Add(source, hidden);
    }

    protected override void EmbedTarget(DecoderBatch batch, Rows hidden)
    {
        _network.Decoder.Tokens.Forward(batch.TokenIds, hidden);
        if (hasTargetPositions)
        {
            _targetPositions.Add(batch, hidden);
        }
        else
        {
            _targetPositions.AddFirst(batch, hidden);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _sourcePositions.Dispose();
        _targetPositions.Dispose();
        base.Dispose(disposing);
    }

    private static FairseqPositions Positions(BartNetwork network, Embedding? stored) =>
        new(network.Configuration.ModelWidth, network.Configuration.PaddingToken!.Value, network.Shape.Device, stored);
}
