using System.Buffers;
using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>A parameter's matrix, read from its file by whoever packs it.</summary>
internal sealed unsafe class StoredMatrix(FilledWeight weight)
    : WeightMatrix((int)weight.Stored.Shape[0], (int)weight.Stored.Shape[1])
{
    public override bool IsOnCpu => true;

    public override void ReadBlock(int block, RowsTaker take)
    {
        // As the weight is cut, too.
        (int first, int count) = RowsOf(block);
        if (weight.Memory is not null)
        {
            take(weight.Memory + ((nint)first * Columns), first, count);
            return;
        }

        float[] rented = ArrayPool<float>.Shared.Rent(count * Columns);
        fixed (float* values = rented)
        {
            weight.ReadBlock(block, rented.AsSpan(0, count * Columns));
            take(values, first, count);
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>The values in memory, shared with all that ask for them.</summary>
    public override Tensor ToTensor() => weight.Tensor.alias();
}
