using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>The activation functions of seq2seq checkpoints.</summary>
internal enum Activation
{
    Identity,
    Relu,

    /// <summary>With a slope of 0.01 below 0.</summary>
    LeakyRelu,

    /// <summary>ReLU that ends at 6.</summary>
    Relu6,

    /// <summary><c>relu(x)²</c> (So et al. 2021, arXiv 2109.08668).</summary>
    SquaredRelu,

    /// <summary>Exact GELU: <c>x Φ(x)</c>.</summary>
    Gelu,

    /// <summary>Exact GELU that ends at 10 (Wu et al. 2020, arXiv 2004.09602).</summary>
    ClippedGelu,

    /// <summary>GELU by the tanh approximation.</summary>
    GeluTanh,

    /// <summary><c>x σ(1.702 x)</c>.</summary>
    QuickGelu,
    Silu,

    /// <summary><c>x tanh(log(1 + eˣ))</c> (Misra 2019, arXiv 1908.08681).</summary>
    Mish,
    Tanh,
    Sigmoid,

    /// <summary>The distribution function of a normal law near relu² (Ma et al. 2022, arXiv 2209.10655).</summary>
    Laplace,
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
            "leaky_relu" => Activation.LeakyRelu,
            "relu6" => Activation.Relu6,
            "relu2" => Activation.SquaredRelu,
            "gelu" or "gelu_python" => Activation.Gelu,
            "gelu_10" => Activation.ClippedGelu,
            "gelu_new" or "gelu_fast" or "gelu_accurate" or "gelu_pytorch_tanh" or "gelu_python_tanh" =>
                Activation.GeluTanh,
            "quick_gelu" => Activation.QuickGelu,
            "silu" or "swish" => Activation.Silu,
            "mish" => Activation.Mish,
            "tanh" => Activation.Tanh,
            "sigmoid" => Activation.Sigmoid,
            "laplace" => Activation.Laplace,
            _ => throw new FormatException(
                $"'{name}' is not a known activation; expected 'relu', 'gelu', 'gelu_new', 'gelu_fast', 'gelu_accurate', "
                    + "'gelu_pytorch_tanh', 'gelu_10', 'quick_gelu', 'silu', 'swish', 'mish', 'relu2', 'relu6', 'leaky_relu', "
                    + "'tanh', 'sigmoid', 'laplace' or 'linear'."
            ),
        };

    /// <summary>The function of every element, as a new tensor (or the argument itself for the identity).</summary>
    public static Tensor Apply(this Activation activation, Tensor values) =>
        activation switch
        {
            Activation.Identity => values,
            Activation.Relu => nn.functional.relu(values),
            Activation.LeakyRelu => nn.functional.leaky_relu(values, 0.01),
            Activation.Relu6 => nn.functional.relu6(values),
            Activation.SquaredRelu => SquaredRelu(values),
            Activation.Gelu => nn.functional.gelu(values),
            Activation.ClippedGelu => nn.functional.gelu(values).clamp_(-10, 10),
            Activation.GeluTanh => GeluTanh(values),
            Activation.QuickGelu => QuickGelu(values),
            Activation.Silu => nn.functional.silu(values),
            Activation.Mish => nn.functional.mish(values),
            Activation.Tanh => values.tanh(),
            Activation.Sigmoid => values.sigmoid(),
            Activation.Laplace => Laplace(values),
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

    private static Tensor SquaredRelu(Tensor values)
    {
        Tensor rectified = nn.functional.relu(values);
        return rectified.mul_(rectified);
    }

    private static Tensor QuickGelu(Tensor values) => values.mul(1.702).sigmoid_().mul_(values);

    private static Tensor Laplace(Tensor values) =>
        values.sub(0.707107).div_(0.282095 * Math.Sqrt(2)).erf_().add_(1).mul_(0.5);

    /// <summary><c>x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))</c> (Hendrycks and Gimpel 2016, arXiv 1606.08415).</summary>
    private static Tensor GeluTanh(Tensor values)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor gate = values.pow(3).mul_(0.044715).add_(values).mul_(Math.Sqrt(2 / Math.PI)).tanh_().add_(1);
        return gate.mul_(values).mul_(0.5).MoveToOuterDisposeScope();
    }
}
