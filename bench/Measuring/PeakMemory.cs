using System.Globalization;

namespace Seq2Seq.Bench.Measuring;

/// <summary>The most memory that this process has had at once.</summary>
internal static class PeakMemory
{
    /// <returns>MiB resident at the peak (VmHWM of proc_pid_status(5)).</returns>
    public static long Megabytes()
    {
        string line = File.ReadLines("/proc/self/status")
            .First(text => text.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line[6..^2], CultureInfo.InvariantCulture) / 1024;
    }
}
