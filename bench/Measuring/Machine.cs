using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Seq2Seq.Bench.Measuring;

/// <summary>The machine that a result was measured on.</summary>
internal sealed partial record Machine
{
    /// <summary>For file names, such as <c>amd-epyc-2-cores</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Processor, cores, memory, systems, in one line.</summary>
    public required string Description { get; init; }

    /// <param name="name">For file names; null makes it from the processor.</param>
    public static Machine Describe(string? name)
    {
        string[] facts = File.ReadAllLines("/proc/cpuinfo");
        string processor = Fact("model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        string cores = Environment.ProcessorCount == 1 ? "1 core" : $"{Environment.ProcessorCount} cores";
        double gibibytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        string instructions =
            MachinePeak.HasAvx512 ? "AVX-512"
            : MachinePeak.HasAvx2 ? "AVX2"
            : "no AVX2";
        return new Machine
        {
            Name = name ?? NotInNames().Replace($"{processor} {cores}".ToLowerInvariant(), "-").Trim('-'),
            Description = string.Create(
                CultureInfo.InvariantCulture,
                $"{processor} (family {Fact("cpu family") ?? "unknown"}, {instructions}), {cores}, {gibibytes:F0} GiB, {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}"
            ),
        };

        string? Fact(string fact) =>
            facts
                .Select(line => line.Split(':', 2))
                .FirstOrDefault(parts => parts[0].Trim() == fact && parts.Length == 2)
                ?[1].Trim();
    }

    /// <summary>Processes that ran or wanted to, on average over the last minute (proc_loadavg(5)).</summary>
    public static double LoadAverage() =>
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotInNames();
}
