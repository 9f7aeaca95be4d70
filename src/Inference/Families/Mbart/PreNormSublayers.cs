using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Mbart;

/// <summary>Sub-layers with a norm before each, as in mBART and GPT-2: x = x + f(norm(x)).</summary>
internal sealed class PreNormSublayers(BartSublayerShape shape, Device device) : BartSublayers(shape, device)
{
    private readonly Rows _normed = new(shape.Width, device);

    public override Rows Enter(LayerNorm norm)
    {
        norm.Forward(Hidden, _normed);
        return _normed;
    }

    protected override void Leave(LayerNorm norm) { }

    protected override void Dispose(bool disposing)
    {
        _normed.Dispose();
        base.Dispose(disposing);
    }
}
