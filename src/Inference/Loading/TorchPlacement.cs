using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Loading;

/// <summary>Refuses a device and compute type that this machine can't give, and turns the others into torch's.</summary>
internal static class TorchPlacement
{
    /// <summary>Half a second goes by while torch is loaded: only a device that nobody but torch can see makes this do it.</summary>
    /// <exception cref="LoadRefusedException">The device is not there, or the compute type is unknown.</exception>
    public static void Check(ModelLoadOptions options)
    {
        try
        {
            ComputeTypeNames.Parse(options.ComputeType);
        }
        catch (FormatException exception)
        {
            throw new LoadRefusedException(LoadCodes.DeviceUnavailable, exception.Message, exception);
        }

        if (options.Device.IsCuda)
        {
            CheckCuda(options.Device);
        }
    }

    /// <summary>What was checked, in torch's terms.</summary>
    public static NetworkOptions Resolve(ModelLoadOptions options)
    {
        TorchLibrary.Load();
        return new NetworkOptions
        {
            Device = options.Device.IsCuda ? new Device(DeviceType.CUDA, options.Device.Index ?? 0) : CPU,
            ComputeType = ComputeTypeNames.Parse(options.ComputeType),
            AsPublished = options.AsPublished,
        };
    }

    private static void CheckCuda(ComputeDevice device)
    {
        TorchLibrary.Load();
        int count = cuda.is_available() ? cuda.device_count() : 0;
        if ((device.Index ?? 0) >= count)
        {
            throw new LoadRefusedException(
                LoadCodes.DeviceUnavailable,
                $"Device '{device}' is not there: this process sees {count} CUDA devices."
            );
        }
    }
}
