using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers.Matrices;

/// <summary>A matrix that is in memory as a tensor.</summary>
/// <param name="tensor"><c>[rows, columns]</c>; it stays the caller's, and lives as long as this is used.</param>
internal sealed unsafe class TensorMatrix(Tensor tensor) : WeightMatrix((int)tensor.shape[0], (int)tensor.shape[1])
{
    public override bool IsOnCpu => tensor.device_type == DeviceType.CPU;

    public override void ReadBlock(int block, RowsTaker take)
    {
        (int first, int count) = RowsOf(block);
        using Tensor rows = tensor.narrow(0, first, count).contiguous();
        take(rows.FloatPointer(), first, count);
    }

    public override Tensor ToTensor() => tensor.alias();
}
