using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Led;

/// <summary>
/// The forward pass of LED (Beltagy et al. 2020, arXiv 2004.05150), as models/led/modeling_led.py of transformers has it:
/// BART's, but a token of the source sees only those near it, and the line's global tokens, which see the whole line
/// through projections of their own. Each layer has a window of its own; the reference's padding to whole windows changes
/// nothing.
/// </summary>
internal sealed class LedForwardPass(LedNetwork network) : BartForwardPass(network)
{
    private readonly AttentionPattern _pattern = new();
    private readonly Rows _globalQueryKeyValue = new(3 * network.Configuration.ModelWidth, network.Shape.Device);
    private readonly Rows _globalContext = new(network.Configuration.ModelWidth, network.Shape.Device);

    protected override void AttendToSource(int layer, SourceBatch source, Rows queryKeyValue, Rows context)
    {
        AttentionWindow window = new(network.Radii[layer], network.Radii[layer]);
        Encoder.Attention.Encode(queryKeyValue, source, bias: null, context, window);
        if (Array.Exists(source.GlobalTokens, count => count > 0))
        {
            AttendGlobally(layer, source, context);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _globalQueryKeyValue.Dispose();
        _globalContext.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The context of global tokens, in place of what their windows gave.</summary>
    private void AttendGlobally(int layer, SourceBatch source, Rows context)
    {
        _pattern.Clear();
        for (int line = 0; line < source.Lines; line++)
        {
            if (source.GlobalTokens[line] > 0)
            {
                _pattern.Begin(source.Starts[line], source.GlobalTokens[line]);
                _pattern.See(source.Starts[line], source.Starts[line + 1] - source.Starts[line]);
            }
        }

        network.GlobalQueryKeyValues[layer].Forward(Encoder.Hidden, _globalQueryKeyValue);
        Encoder.Attention.Attend(_globalQueryKeyValue, _pattern, _globalContext);
        foreach (AttentionPattern.Group group in _pattern.Groups)
        {
            using Tensor from = _globalContext.Tensor.narrow(0, group.FirstRow, group.RowCount);
            using Tensor to = context.Tensor.narrow(0, group.FirstRow, group.RowCount);
            to.copy_(from);
        }
    }
}
