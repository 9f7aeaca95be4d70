using System.Numerics;
using System.Runtime.InteropServices;
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

    /// <summary>Normalises each row into <paramref name="output"/>, which is resized to the input's count.</summary>
    public void Forward(Rows input, Rows output)
    {
        output.Resize(input.Count);
        if (!input.IsOnCpu)
        {
            using Tensor normed = Forward(input.Tensor);
            output.Tensor.copy_(normed);
            return;
        }

        ReadOnlySpan<float> weights = _weight.FloatSpan();
        for (int row = 0; row < input.Count; row++)
        {
            Normalise(input.Row(row), weights, output.Row(row));
        }
    }

    public void Dispose() => _weight.Dispose();

    private void Normalise(ReadOnlySpan<float> input, ReadOnlySpan<float> scales, Span<float> output)
    {
        ReadOnlySpan<Vector<float>> inputs = MemoryMarshal.Cast<float, Vector<float>>(input);
        ReadOnlySpan<Vector<float>> weights = MemoryMarshal.Cast<float, Vector<float>>(scales)[..inputs.Length];
        Span<Vector<float>> outputs = MemoryMarshal.Cast<float, Vector<float>>(output)[..inputs.Length];
        Vector<float> squares = Vector<float>.Zero;
        foreach (Vector<float> values in inputs)
        {
            squares += values * values;
        }

        float sum = Vector.Sum(squares);
        int whole = inputs.Length * Vector<float>.Count;
        foreach (float value in input[whole..])
        {
            sum += value * value;
        }

        float scale = 1 / MathF.Sqrt((sum / input.Length) + (float)epsilon);
        for (int i = 0; i < inputs.Length; i++)
        {
            outputs[i] = inputs[i] * scale * weights[i];
        }

        for (int i = whole; i < input.Length; i++)
        {
            output[i] = input[i] * scale * scales[i];
        }
    }
}
