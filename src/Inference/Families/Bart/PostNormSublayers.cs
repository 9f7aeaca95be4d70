using Seq2Seq.Inference.Layers;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Bart;

/// <summary>Sub-layers with a norm after each sum, as in BART and BERT: x = norm(x + f(x)).</summary>
internal sealed class PostNormSublayers(BartSublayerShape shape, Device device) : BartSublayers(shape, device)
{
    public override Rows Enter(LayerNorm norm) => Hidden;

    protected override void Leave(LayerNorm norm) => norm.Forward(Hidden, Hidden);
}
