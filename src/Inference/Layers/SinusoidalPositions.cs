using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Positions as sines and cosines of growing wavelength (Vaswani et al. 2017, arXiv 1706.03762, section 3.5), sines in the
/// first half of the vector: MarianSinusoidalPositionalEmbedding of transformers.
/// </summary>
internal static class SinusoidalPositions
{
    /// <returns><c>[count, width]</c>, float32.</returns>
    public static Tensor Create(int count, int width, Device device)
    {
        if (device.type == DeviceType.META)
        {
            return empty(count, width, dtype: ScalarType.Float32, device: device);
        }

        float[] values = new float[checked(count * width)];
        double[] waves = [.. Enumerable.Range(0, (width + 1) / 2).Select(i => Math.Pow(10000, 2.0 * i / width))];
        Parallel.For(
            0,
            count,
            position =>
            {
                Span<float> vector = values.AsSpan(position * width, width);
                for (int i = 0; i < waves.Length; i++)
                {
                    double angle = position / waves[i];
                    vector[i] = (float)Math.Sin(angle);
                    if (waves.Length + i < width)
                    {
                        vector[waves.Length + i] = (float)Math.Cos(angle);
                    }
                }
            }
        );
        using DisposeScope scope = NewDisposeScope();
        return tensor(values, [count, width]).to(device).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The variant of tensor2tensor and fairseq, whose wavelengths end at 10000 · 2π instead of before it. On torch's
    /// operators, so that float32 rounds as in the reference (M2M100SinusoidalPositionalEmbedding of transformers).
    /// </summary>
    /// <param name="count">Number of positions.</param>
    /// <param name="width">Width of a vector; at least 4, so that there are two wavelengths.</param>
    /// <param name="paddingRow">A row that is zero, or null.</param>
    /// <param name="device">Where the table lies.</param>
    /// <returns><c>[count, width]</c>, float32.</returns>
    public static Tensor CreateInclusive(int count, int width, int? paddingRow, Device device)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 4);
        using DisposeScope scope = NewDisposeScope();
        int half = width / 2;
        Tensor waves = arange(half, dtype: ScalarType.Float32).mul(-(Math.Log(10000) / (half - 1))).exp();
        Tensor angles = arange(count, dtype: ScalarType.Float32).unsqueeze(1) * waves.unsqueeze(0);
        Tensor table = zeros(count, width, dtype: ScalarType.Float32);
        table.narrow(1, 0, half).copy_(angles.sin());
        table.narrow(1, half, half).copy_(angles.cos());
        if (paddingRow < count)
        {
            table.select(0, paddingRow.Value).zero_();
        }

        return table.to(device).MoveToOuterDisposeScope();
    }
}
