using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>Layer normalisation over the last dimension, with weight and bias (Ba et al. 2016, arXiv 1607.06450).</summary>
internal sealed class LayerNorm(Tensor weight, Tensor bias, double epsilon = 1e-5) : IDisposable
{
    private readonly Tensor _weight = weight.alias().DetachFromDisposeScope();
    private readonly Tensor _bias = bias.alias().DetachFromDisposeScope();

    /// <summary><c>[…, width]</c> → the same shape and type.</summary>
    public Tensor Forward(Tensor input) => nn.functional.layer_norm(input, _weight.shape, _weight, _bias, epsilon);

    /// <summary>Normalises each row into <paramref name="output"/>, which is resized to the input's count and may be the input.</summary>
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
        ReadOnlySpan<float> biases = _bias.FloatSpan();
        for (int row = 0; row < input.Count; row++)
        {
            Normalise(input.Row(row), weights, biases, output.Row(row));
        }
    }

    public void Dispose()
    {
        _weight.Dispose();
        _bias.Dispose();
    }

    private void Normalise(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> scales,
        ReadOnlySpan<float> shifts,
        Span<float> output
    )
    {
        ReadOnlySpan<Vector<float>> inputs = MemoryMarshal.Cast<float, Vector<float>>(input);
        ReadOnlySpan<Vector<float>> weights = MemoryMarshal.Cast<float, Vector<float>>(scales)[..inputs.Length];
        ReadOnlySpan<Vector<float>> biases = MemoryMarshal.Cast<float, Vector<float>>(shifts)[..inputs.Length];
        Span<Vector<float>> outputs = MemoryMarshal.Cast<float, Vector<float>>(output)[..inputs.Length];
        int whole = inputs.Length * Vector<float>.Count;
        Vector<float> sums = Vector<float>.Zero;
        foreach (Vector<float> values in inputs)
        {
            sums += values;
        }

        float sum = Vector.Sum(sums);
        foreach (float value in input[whole..])
        {
            sum += value;
        }

        float mean = sum / input.Length;
        Vector<float> squares = Vector<float>.Zero;
        foreach (Vector<float> values in inputs)
        {
            Vector<float> distance = values - new Vector<float>(mean);
            squares += distance * distance;
        }

        float square = Vector.Sum(squares);
        foreach (float value in input[whole..])
        {
            square += (value - mean) * (value - mean);
        }

        float scale = 1 / MathF.Sqrt((square / input.Length) + (float)epsilon);
        for (int i = 0; i < inputs.Length; i++)
        {
            outputs[i] = ((inputs[i] - new Vector<float>(mean)) * scale * weights[i]) + biases[i];
        }

        for (int i = whole; i < input.Length; i++)
        {
            output[i] = ((input[i] - mean) * scale * scales[i]) + shifts[i];
        }
    }
}
