using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.Led;

/// <summary>
/// The forward pass of LED (Beltagy et al. 2020, arXiv 2004.05150), as models/led/modeling_led.py of transformers has it
/// without a global attention mask: BART's, but a token of the source sees only those near it. Each layer has a window of
/// its own; the reference's padding to whole windows changes nothing.
/// </summary>
internal sealed class LedForwardPass(BartNetwork network, IReadOnlyList<int> radii) : BartForwardPass(network)
{
    protected override void AttendToSource(int layer, SourceBatch source, Rows queryKeyValue, Rows context) =>
        EncoderAttention.Encode(
            queryKeyValue,
            source,
            bias: null,
            context,
            new AttentionWindow(radii[layer], radii[layer])
        );
}
