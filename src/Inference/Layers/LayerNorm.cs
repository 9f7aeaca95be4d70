using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>Layer normalisation over the last dimension, with weight and bias (Ba et al. 2016, arXiv 1607.06450).</summary>
internal sealed unsafe class LayerNorm(Tensor weight, Tensor bias, double epsilon = 1e-5) : IDisposable
{
    private readonly Parameter _weight = new(weight);
    private readonly Parameter _bias = new(bias);

    /// <summary><c>[…, width]</c> → the same shape and type.</summary>
    public Tensor Forward(Tensor input) =>
        nn.functional.layer_norm(input, [_weight.Count], _weight.Tensor, _bias.Tensor, epsilon);

    /// <summary>Rows of the weight's width; the output may be the input.</summary>
    public void Forward(Rows input, Rows output)
    {
        output.ResizeAs(input, _weight.Count);
        if (_weight.Pointer is null)
        {
            Tensor target = output.Tensor;
            using DisposeScope scope = NewDisposeScope();
            target.copy_(Forward(input.Tensor));
            return;
        }

        NormArguments arguments = new()
        {
            Input = input.Pointer,
            Output = output.Pointer,
            Rows = input.Count,
            Width = input.Width,
            Weight = _weight.Pointer,
            Bias = _bias.Pointer,
            Epsilon = (float)epsilon,
        };
        NormKernels.Layer(ref arguments);
    }

    public void Dispose()
    {
        _weight.Dispose();
        _bias.Dispose();
    }
}
