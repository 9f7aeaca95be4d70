using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Root mean square norm without mean and bias: <c>x / sqrt(mean(x²) + ε) · weight</c> (Zhang and Sennrich 2019, arXiv
/// 1910.07467), as <c>T5LayerNorm</c> of transformers does it: the mean is taken in float32 whatever the input's type.
/// </summary>
internal sealed class RmsNorm(Tensor weight, double epsilon) : IDisposable
{
    private readonly Tensor _weight = weight.alias().DetachFromDisposeScope();

    /// <summary><c>[…, width]</c> → the same shape and type.</summary>
    public Tensor Forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor wide = input.to_type(ScalarType.Float32);
        Tensor scale = wide.square().mean([-1], keepdim: true).add_(epsilon).rsqrt_();
        return (wide * scale).mul_(_weight).to_type(input.dtype).MoveToOuterDisposeScope();
    }

    public void Dispose() => _weight.Dispose();
}
