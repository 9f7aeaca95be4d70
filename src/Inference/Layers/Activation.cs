using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>The activation functions of seq2seq checkpoints.</summary>
internal enum Activation
{
    Identity,
    Relu,

    /// <summary>Exact GELU: <c>x Φ(x)</c>.</summary>
    Gelu,

    /// <summary>GELU by the tanh approximation.</summary>
    GeluTanh,
    Silu,
    Tanh,
}

/// <summary>Names of activations in config.json, and their computation on torch's operators.</summary>
internal static class Activations
{
    /// <summary>Reads a name of transformers' <c>ACT2FN</c>.</summary>
    /// <exception cref="FormatException">The name is not one of those that seq2seq families use.</exception>
    public static Activation Parse(string name) =>
        name switch
        {
            "linear" => Activation.Identity,
            "relu" => Activation.Relu,
            "gelu" or "gelu_python" => Activation.Gelu,
            "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" or "gelu_python_tanh" => Activation.GeluTanh,
            "silu" or "swish" => Activation.Silu,
            "tanh" => Activation.Tanh,
            _ => throw new FormatException(
                $"'{name}' is not a known activation; expected 'relu', 'gelu', 'gelu_new', 'gelu_fast', "
                    + "'gelu_pytorch_tanh', 'silu', 'swish', 'tanh' or 'linear'."
            ),
        };

    /// <summary>The function of every element, as a new tensor (or the argument itself for the identity).</summary>
    public static Tensor Apply(this Activation activation, Tensor values) =>
        activation switch
        {
            Activation.Identity => values,
            Activation.Relu => nn.functional.relu(values),
            Activation.Gelu => nn.functional.gelu(values),
            Activation.GeluTanh => GeluTanh(values),
            Activation.Silu => nn.functional.silu(values),
            Activation.Tanh => values.tanh(),
            _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, message: null),
        };

    /// <summary>Gated feed-forward (Shazeer 2020, arXiv 2002.05202): <c>activation(gate) · up</c>.</summary>
    /// <param name="activation">Applied to the gate.</param>
    /// <param name="gateAndUp"><c>[gate | up]</c>, two halves of one width.</param>
    /// <param name="output">Resized to the input's count.</param>
    public static unsafe void Gate(this Activation activation, Rows gateAndUp, Rows output)
    {
        int width = output.Width;
        if (gateAndUp.Width != 2 * width)
        {
            throw new ArgumentException(
                $"Expected rows of width {2 * width}; found {gateAndUp.Width}.",
                nameof(gateAndUp)
            );
        }

        output.Resize(gateAndUp.Count);
        if (gateAndUp.Pointer is null)
        {
            Tensor target = output.Tensor;
            using DisposeScope scope = NewDisposeScope();
            Tensor[] halves = gateAndUp.Tensor.chunk(2, 1);
            target.copy_(activation.Apply(halves[0]).mul(halves[1]));
            return;
        }

        Elementwise.Gate(activation, gateAndUp.Pointer, output.Pointer, output.Count, width);
    }

    /// <summary><c>x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))</c> (Hendrycks and Gimpel 2016, arXiv 1606.08415).</summary>
    private static Tensor GeluTanh(Tensor values)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor gate = values.pow(3).mul_(0.044715).add_(values).mul_(Math.Sqrt(2 / Math.PI)).tanh_().add_(1);
        return gate.mul_(values).mul_(0.5).MoveToOuterDisposeScope();
    }
}
