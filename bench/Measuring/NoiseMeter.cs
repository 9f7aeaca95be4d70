using System.Globalization;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Bench.Measuring;

/// <summary>How much else went on while something was measured.</summary>
/// <param name="Others">Share of the machine's cores that other processes took; null where it can't be told apart.</param>
/// <param name="Peak">
/// What the calibration loop reached beside the run, over the best that it has reached: below one, the cores were slower
/// or somebody else's, also where no process of this machine shows it.
/// </param>
internal sealed record Noise(double? Others, double Peak)
{
    private const double MostOthers = 0.1;
    private const double LeastPeak = 0.9;

    /// <summary>Whether a figure from such a run is not to be trusted.</summary>
    public bool IsNoisy => Others > MostOthers || Peak < LeastPeak;
}

/// <summary>
/// Watches the machine beside each run: the processor time of others, from <c>/proc</c>, and a calibration loop of
/// multiply-adds on every core before and after.
/// </summary>
internal sealed class NoiseMeter : IDisposable
{
    private readonly ComputeTeam _team = new(Environment.ProcessorCount, "calibration");
    private double _best;

    /// <summary>The best that the calibration loop has reached so far, GFLOPS of all cores; 0 without AVX2.</summary>
    public double Best => _best;

    /// <param name="run">What to watch.</param>
    /// <param name="isChild">Whether its work is done by this process and by processes that it has waited for.</param>
    public async Task<(T Result, Noise Noise)> WatchAsync<T>(Func<Task<T>> run, bool isChild)
    {
        double before = Calibrate();
        (long busy, long ours) = ReadTicks();
        long started = Environment.TickCount64;
        T result = await run();
        double seconds = (Environment.TickCount64 - started) / 1000.0;
        (long busyAfter, long oursAfter) = ReadTicks();
        double after = Calibrate();
        _best = Math.Max(_best, Math.Max(before, after));
        double others =
            (busyAfter - busy - (oursAfter - ours))
            / (double)TicksPerSecond
            / Math.Max(seconds, 0.1)
            / Environment.ProcessorCount;
        return (
            result,
            new Noise(isChild ? Math.Clamp(others, 0, 1) : null, _best == 0 ? 1 : Math.Min(before, after) / _best)
        );
    }

    public void Dispose() => _team.Dispose();

    /// <summary>USER_HZ, what the kernel counts in towards programs, on every architecture .NET runs on.</summary>
    private const int TicksPerSecond = 100;

    private double Calibrate()
    {
        if (!MachinePeak.HasAvx2)
        {
            return 0;
        }

        using ComputeTeam.Membership membership = _team.Enter();
        return MachinePeak.Gflops(MachinePeak.HasAvx512);
    }

    // proc_pid_stat(5): fields 14 to 17 are user and system time of the process and of the children it has waited for;
    // /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
    private static (long Busy, long Ours) ReadTicks()
    {
        long[] machine = Numbers(File.ReadLines("/proc/stat").First()["cpu".Length..]);
        string own = File.ReadAllText("/proc/self/stat");
        long[] process = Numbers(own[(own.LastIndexOf(')') + 4)..]);
        return (
            machine[0] + machine[1] + machine[2] + machine[5] + machine[6] + machine[7],
            process[10] + process[11] + process[12] + process[13]
        );
    }

    private static long[] Numbers(string text) =>
        [
            .. text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
                .Take(20)
                .Select(number => long.Parse(number, CultureInfo.InvariantCulture)),
        ];
}
