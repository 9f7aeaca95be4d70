using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.BigBirdPegasus;

/// <summary>
/// The forward pass as models/bigbird_pegasus/modeling_bigbird_pegasus.py of transformers has it: mBART's blocks without a
/// norm after the embeddings, and in the encoder BigBird's attention for lines longer than its pattern.
/// </summary>
/// <remarks>The reference, once it met a shorter line, attends in full to all lines after it; here each line decides for itself.</remarks>
internal sealed class BigBirdPegasusForwardPass(BartNetwork network, BigBirdBlocks? blocks) : MbartForwardPass(network)
{
    private readonly AttentionPattern _pattern = new();

    protected override void AttendToSource(int layer, SourceBatch source, Rows queryKeyValue, Rows context)
    {
        if (blocks is null || source.LongestLine <= blocks.LongestFullLine)
        {
            base.AttendToSource(layer, source, queryKeyValue, context);
            return;
        }

        if (layer == 0)
        {
            _pattern.Clear();
            for (int line = 0; line < source.Lines; line++)
            {
                blocks.AddLine(_pattern, source.Starts[line], source.Starts[line + 1] - source.Starts[line]);
            }
        }

        Encoder.Attention.Attend(queryKeyValue, _pattern, context);
    }
}
