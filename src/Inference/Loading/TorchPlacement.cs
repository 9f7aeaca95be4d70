using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Loading;

/// <summary>Turns the device and compute type that are asked for into torch's, or refuses what this machine can't give.</summary>
internal static class TorchPlacement
{
    /// <exception cref="LoadRefusedException">The device is not there, or the compute type is unknown.</exception>
    public static NetworkOptions Resolve(ModelLoadOptions options)
    {
        try
        {
            return new NetworkOptions
            {
                Device = ToTorch(options.Device),
                ComputeType = ComputeTypeNames.Parse(options.ComputeType),
                AsPublished = options.AsPublished,
            };
        }
        catch (FormatException exception)
        {
            throw new LoadRefusedException(LoadCodes.DeviceUnavailable, exception.Message, exception);
        }
    }

    private static Device ToTorch(ComputeDevice device)
    {
        if (!device.IsCuda)
        {
            return CPU;
        }

        int index = device.Index ?? 0;
        int count = cuda.is_available() ? cuda.device_count() : 0;
        return index < count
            ? new Device(DeviceType.CUDA, index)
            : throw new LoadRefusedException(
                LoadCodes.DeviceUnavailable,
                $"Device '{device}' is not there: this process sees {count} CUDA devices."
            );
    }
}
