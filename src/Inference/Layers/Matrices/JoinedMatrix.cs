using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers.Matrices;

/// <summary>Several matrices, one below the other: layers that take the same input, fused into one.</summary>
internal sealed class JoinedMatrix : WeightMatrix
{
    private readonly List<Block> _blocks = [];
    private readonly IReadOnlyList<WeightMatrix> _parts;

    private JoinedMatrix(IReadOnlyList<WeightMatrix> parts)
        : base(parts.Sum(part => part.Rows), parts[0].Columns)
    {
        _parts = parts;
        int row = 0;
        foreach (WeightMatrix part in parts)
        {
            _blocks.AddRange(Enumerable.Range(0, part.BlockCount).Select(block => new Block(part, block, row)));
            row += part.Rows;
        }
    }

    public override bool IsOnCpu => _parts.All(part => part.IsOnCpu);

    public override int BlockCount => _blocks.Count;

    /// <param name="parts">At least one, all of the same number of columns.</param>
    public static WeightMatrix Of(IReadOnlyList<WeightMatrix> parts)
    {
        if (parts.Count == 1)
        {
            return parts[0];
        }

        // Rows are packed in groups, which must not lie across two parts.
        return parts.SkipLast(1).All(part => part.Rows % RowGroup == 0)
            ? new JoinedMatrix(parts)
            : new TensorMatrix(Join(parts));
    }

    public override unsafe void ReadBlock(int block, RowsTaker take)
    {
        Block joined = _blocks[block];
        joined.Part.ReadBlock(joined.Number, (values, first, count) => take(values, joined.FirstRow + first, count));
    }

    public override Tensor ToTensor() => Join(_parts);

    private static Tensor Join(IReadOnlyList<WeightMatrix> parts)
    {
        Tensor[] tensors = [.. parts.Select(part => part.ToTensor())];
        Tensor joined = cat(tensors, 0);
        Array.ForEach(tensors, tensor => tensor.Dispose());
        return joined;
    }

    /// <param name="Part">The matrix that it is a block of.</param>
    /// <param name="Number">Which one.</param>
    /// <param name="FirstRow">Where the matrix begins in the whole.</param>
    private readonly record struct Block(WeightMatrix Part, int Number, int FirstRow);
}
