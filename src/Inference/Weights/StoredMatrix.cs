using System.Buffers;
using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>A parameter's matrix, read from its file by whoever packs it.</summary>
internal sealed unsafe class StoredMatrix(FilledWeight weight)
    : WeightMatrix((int)weight.Stored.Shape[0], (int)weight.Stored.Shape[1])
{
    public override bool IsOnCpu => true;

    public override int BlockCount => weight.BlockCount;

    public override void ReadBlock(int block, RowsTaker take)
    {
        int first = block * weight.BlockRows;
        int length = weight.BlockLength(block);
        if (weight.Memory is not null)
        {
            take(weight.Memory + ((nint)first * Columns), first, length / Columns);
            return;
        }

        float[] rented = ArrayPool<float>.Shared.Rent(length);
        fixed (float* values = rented)
        {
            weight.ReadBlock(block, rented.AsSpan(0, length));
            take(values, first, length / Columns);
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>The values in memory, shared with all that ask for them.</summary>
    public override Tensor ToTensor() => weight.Tensor.alias();
}
