using System.Diagnostics;

namespace Seq2Seq.Bench.Measuring;

/// <summary>Repeated timings of one thing: their median, and how far they lie apart.</summary>
internal sealed class Sample
{
    private readonly List<double> _seconds = [];

    public double Median => Quantile(0.5);

    /// <summary>The shortest: what the code takes when nothing disturbs it, for short kernels on a busy machine.</summary>
    public double Best => Quantile(0);

    /// <summary>Distance of the quartiles over the median: 0.02 is a quiet machine.</summary>
    public double Spread => (Quantile(0.75) - Quantile(0.25)) / Median;

    public static Sample Of(IEnumerable<double> values)
    {
        var sample = new Sample();
        sample._seconds.AddRange(values);
        return sample;
    }

    public void Add(double seconds) => _seconds.Add(seconds);

    /// <summary>
    /// Times several things in turns, so that a busy moment of the machine hits all alike. Each is called once beforehand.
    /// </summary>
    /// <param name="rounds">Timings of each.</param>
    /// <param name="minimumSeconds">A timing repeats its action until it takes about this long.</param>
    /// <param name="actions">What to time.</param>
    /// <returns>Seconds of one call of each action.</returns>
    public static Sample[] Alternating(int rounds, double minimumSeconds, params Action[] actions)
    {
        int[] repeats = [.. actions.Select(action => Repeats(action, minimumSeconds))];
        Sample[] samples = [.. actions.Select(_ => new Sample())];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < actions.Length; i++)
            {
                long started = Stopwatch.GetTimestamp();
                for (int repeat = 0; repeat < repeats[i]; repeat++)
                {
                    actions[i]();
                }

                samples[i].Add(Stopwatch.GetElapsedTime(started).TotalSeconds / repeats[i]);
            }
        }

        return samples;
    }

    private static int Repeats(Action action, double minimumSeconds)
    {
        action();
        long started = Stopwatch.GetTimestamp();
        action();
        double once = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return (int)Math.Clamp(minimumSeconds / Math.Max(once, 1e-7), 1, 1_000_000);
    }

    /// <summary>The value below which a share of the timings lies.</summary>
    public double Quantile(double share)
    {
        double[] sorted = [.. _seconds.Order()];
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
