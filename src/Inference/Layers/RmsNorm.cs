using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Root mean square norm without mean and bias: <c>x / sqrt(mean(x²) + ε) · weight</c> (Zhang and Sennrich 2019, arXiv
/// 1910.07467), as <c>T5LayerNorm</c> of transformers does it: the mean is taken in float32 whatever the input's type.
/// </summary>
internal sealed unsafe class RmsNorm(Tensor weight, double epsilon) : IDisposable
{
    private readonly Parameter _weight = new(weight);

    /// <summary><c>[…, width]</c> → the same shape and type.</summary>
    public Tensor Forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor wide = input.to_type(ScalarType.Float32);
        Tensor scale = wide.square().mean([-1], keepdim: true).add_(epsilon).rsqrt_();
        return (wide * scale).mul_(_weight.Tensor).to_type(input.dtype).MoveToOuterDisposeScope();
    }

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
            Epsilon = (float)epsilon,
        };
        NormKernels.Rms(ref arguments);
    }

    /// <summary>Norms heads of the weight's width, each by itself, in place.</summary>
    /// <param name="rows"><c>[rows, …]</c></param>
    /// <param name="column">First column of the first head.</param>
    /// <param name="heads">Heads, side by side.</param>
    public void ForwardHeads(Rows rows, int column, int heads)
    {
        int width = _weight.Count;
        if (column + (heads * width) > rows.Width)
        {
            throw new ArgumentException(
                $"{heads} heads of {width} from column {column} on don't fit rows of width {rows.Width}.",
                nameof(rows)
            );
        }

        if (_weight.Pointer is null)
        {
            Tensor target = rows.Tensor;
            using DisposeScope scope = NewDisposeScope();
            Tensor columns = target.narrow(1, column, heads * width);
            columns.copy_(Forward(columns.reshape(rows.Count, heads, width)).view(rows.Count, -1));
            return;
        }

        for (int row = 0; row < rows.Count; row++)
        {
            float* first = rows.Pointer + ((nint)row * rows.Width) + column;
            NormArguments arguments = new()
            {
                Input = first,
                Output = first,
                Rows = heads,
                Width = width,
                Weight = _weight.Pointer,
                Epsilon = (float)epsilon,
            };
            NormKernels.Rms(ref arguments);
        }
    }

    public void Dispose() => _weight.Dispose();
}
