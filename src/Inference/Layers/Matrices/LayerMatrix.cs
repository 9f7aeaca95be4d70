using System.Buffers;

namespace Seq2Seq.Inference.Layers.Matrices;

/// <summary>The weights of a layer that holds them, read back.</summary>
/// <param name="layer">A layer on the CPU with <see cref="Linear.HoldsWeights"/>.</param>
internal sealed unsafe class LayerMatrix(Linear layer) : WeightMatrix(layer.OutFeatures, layer.InFeatures)
{
    public override bool IsOnCpu => true;

    public override void ReadBlock(int block, RowsTaker take)
    {
        (int first, int count) = RowsOf(block);
        float[] rows = ArrayPool<float>.Shared.Rent(count * Columns);
        fixed (float* values = rows)
        {
            for (int row = 0; row < count; row++)
            {
                layer.ReadWeights(first + row, scale: 1, values + ((nint)row * Columns), accumulate: false);
            }

            take(values, first, count);
        }

        ArrayPool<float>.Shared.Return(rows);
    }
}
