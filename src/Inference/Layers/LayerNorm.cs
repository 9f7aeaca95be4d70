using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>Layer normalisation over the last dimension, with weight and bias (Ba et al. 2016, arXiv 1607.06450).</summary>
internal sealed class LayerNorm(Tensor weight, Tensor bias, double epsilon = 1e-5) : IDisposable
{
    private readonly Tensor _weight = weight.alias().DetachFromDisposeScope();
    private readonly Tensor _bias = bias.alias().DetachFromDisposeScope();

    /// <summary><c>[…, width]</c> → the same shape and type.</summary>
    public Tensor Forward(Tensor input) => nn.functional.layer_norm(input, _weight.shape, _weight, _bias, epsilon);

    public void Dispose()
    {
        _weight.Dispose();
        _bias.Dispose();
    }
}
