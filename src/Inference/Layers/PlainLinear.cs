using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>The linear layer on torch's own operator: every device, and every type that torch multiplies in.</summary>
internal sealed class PlainLinear(Tensor weight, Tensor? bias, ScalarType type)
    : Linear((int)weight.shape[1], (int)weight.shape[0])
{
    private readonly Tensor _weight = Hold(weight, type);
    private readonly Tensor? _bias = bias is null ? null : Hold(bias, type);

    public override Tensor Forward(Tensor input)
    {
        if (input.dtype == type)
        {
            return nn.functional.linear(input, _weight, _bias);
        }

        using Tensor converted = input.to_type(type);
        using Tensor output = nn.functional.linear(converted, _weight, _bias);
        return output.to_type(input.dtype);
    }

    protected override void Dispose(bool disposing)
    {
        _weight.Dispose();
        _bias?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>A handle of our own: on the same memory where the type fits, else on a copy.</summary>
    private static Tensor Hold(Tensor tensor, ScalarType type) =>
        (tensor.dtype == type ? tensor.alias() : tensor.to_type(type)).DetachFromDisposeScope();
}
