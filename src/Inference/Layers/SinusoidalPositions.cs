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
        int sines = (width + 1) / 2;
        for (int position = 0; position < count; position++)
        {
            Span<float> vector = values.AsSpan(position * width, width);
            for (int i = 0; i < sines; i++)
            {
                double angle = position / Math.Pow(10000, 2.0 * i / width);
                vector[i] = (float)Math.Sin(angle);
                if (sines + i < width)
                {
                    vector[sines + i] = (float)Math.Cos(angle);
                }
            }
        }

        using DisposeScope scope = NewDisposeScope();
        return tensor(values, [count, width]).to(device).MoveToOuterDisposeScope();
    }
}
