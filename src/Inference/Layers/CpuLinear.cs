using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Kernels;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// A linear layer on packed weights and kernels of our own. A row's result is the same bits whatever rows are computed
/// beside it, on however many threads. The weight's tensor isn't needed after packing.
/// </summary>
internal abstract unsafe class CpuLinear(int inFeatures, int outFeatures) : Linear(inFeatures, outFeatures)
{
    /// <summary>Several, so that a thread that is held up leaves its share to the others.</summary>
    private const int ChunksPerThread = 4;

    public sealed override Tensor Forward(Tensor input)
    {
        using Tensor rows = input.contiguous();
        Tensor output = empty([.. input.shape[..^1], OutFeatures], dtype: ScalarType.Float32);
        int count = checked((int)(rows.numel() / InFeatures));
        if (count > 0)
        {
            Multiply(
                rows.FloatPointer(),
                count,
                output.FloatPointer(),
                Activation.Identity,
                accumulate: false,
                mayBeSparse: false
            );
        }

        return output;
    }

    public sealed override void Forward(
        Rows input,
        Rows output,
        Activation activation = Activation.Identity,
        bool accumulate = false
    )
    {
        PrepareOutput(input, output, accumulate);
        if (accumulate && activation is not (Activation.Identity or Activation.Relu))
        {
            throw new ArgumentException($"No kernel adds {activation} to a residual.", nameof(activation));
        }

        output.IsRectified = activation == Activation.Relu && !accumulate;
        if (input.Count > 0)
        {
            Multiply(input.Pointer, input.Count, output.Pointer, activation, accumulate, input.IsRectified);
        }
    }

    /// <summary>The product of rows, at least one, that lie one after the other.</summary>
    /// <param name="input">First value of the first row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="output">First value of the first output row.</param>
    /// <param name="activation">Applied to the product.</param>
    /// <param name="accumulate">Add to what the output holds.</param>
    /// <param name="mayBeSparse">Whether it is worth looking for zeros in the input.</param>
    protected abstract void Multiply(
        float* input,
        int rows,
        float* output,
        Activation activation,
        bool accumulate,
        bool mayBeSparse
    );

    /// <summary>Values filled up with zeros to whole panels; null for null.</summary>
    protected static AlignedBuffer<float>? Padded(Tensor? values, int columns)
    {
        if (values is null)
        {
            return null;
        }

        AlignedBuffer<float> padded = new(columns);
        using Tensor contiguous = values.contiguous();
        contiguous.FloatSpan().CopyTo(padded.Span);
        return padded;
    }

    /// <summary>Chunks of panels to cut a product into: one where it takes but some microseconds.</summary>
    protected int Chunks(int rows, int panels, int multiplicationsWorthATeam)
    {
        int threads = ComputeTeam.CurrentCount;
        bool isShort = (long)rows * InFeatures * OutFeatures < multiplicationsWorthATeam;
        return threads == 1 || isShort ? 1 : Math.Min(ChunksPerThread * threads, panels);
    }

    /// <summary>Applies an activation that the tiles don't know to some columns of the product.</summary>
    protected static void Activate(Activation activation, float* output, int rows, int stride, int from, int to)
    {
        if (activation is Activation.Identity or Activation.Relu)
        {
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            Elementwise.Apply(activation, output + ((nint)row * stride) + from, to - from);
        }
    }
}
