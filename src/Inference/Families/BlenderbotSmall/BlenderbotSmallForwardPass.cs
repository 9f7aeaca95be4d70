using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.BlenderbotSmall;

/// <summary>
/// The forward pass as models/blenderbot_small/modeling_blenderbot_small.py of transformers has it: BART's, but the
/// decoder's embeddings are normalised before the positions are added, not after.
/// </summary>
internal sealed class BlenderbotSmallForwardPass(BartNetwork network) : BartForwardPass(network)
{
    private readonly BartStack<BartDecoderLayer> _decoder = network.Decoder;

    protected override void EmbedTarget(DecoderBatch batch, Rows hidden)
    {
        _decoder.Tokens.Forward(batch.TokenIds, hidden);
        _decoder.EmbeddingNorm!.Forward(hidden, hidden);
        _decoder.Positions!.Forward(batch.Positions, hidden, accumulate: true);
    }
}
