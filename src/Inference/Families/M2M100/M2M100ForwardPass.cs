using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.M2M100;

/// <summary>
/// The forward pass of M2M-100 (Fan et al. 2020, arXiv 2010.11125), as models/m2m_100/modeling_m2m_100.py of transformers
/// has it: mBART's blocks on fairseq's sinusoidal positions, without a norm after the embeddings.
/// </summary>
internal sealed class M2M100ForwardPass(BartNetwork network) : MbartForwardPass(network)
{
    private readonly BartNetwork _network = network;
    private readonly FairseqPositions _positions = new(
        network.Configuration.ModelWidth,
        network.Configuration.PaddingToken!.Value,
        network.Shape.Device
    );

    protected override void EmbedSource(SourceBatch source, Rows hidden)
    {
        _network.Encoder.Tokens.Forward(source.TokenIds, hidden);
        _positions.Add(source, hidden);
    }

    protected override void EmbedTarget(DecoderBatch batch, Rows hidden)
    {
        _network.Decoder.Tokens.Forward(batch.TokenIds, hidden);
        _positions.Add(batch, hidden);
    }

    protected override void Dispose(bool disposing)
    {
        _positions.Dispose();
        base.Dispose(disposing);
    }
}
