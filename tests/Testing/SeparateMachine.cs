using System.Diagnostics;
using System.Globalization;

namespace Seq2Seq.Testing;

/// <summary>
/// Stands for another machine: a network namespace of its own with one cable to this one, which can be pulled, and where it is
/// wanted one core. Needs root and iproute2.
/// </summary>
public sealed class SeparateMachine : IDisposable
{
    /// <summary>Machines of one process at a time.</summary>
    private const int Most = 4;

    // Networks of four addresses, of which two have hosts: 10.213.0.0/16 has so many.
    private const int Networks = 1 << 14;

    private readonly string _name;
    private readonly string _cable;

    /// <param name="number">From 1 to 4; no two at a time may have the same.</param>
    /// <param name="core">The number of the only core that it has; null: all of this one's.</param>
    /// <exception cref="InvalidOperationException">It could not be made; says why.</exception>
    public SeparateMachine(int number, int? core = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, Most);
        string run = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId % 100_000}-{number}");
        _name = "seq2seq-" + run;
        _cable = "s2s" + run;
        // Other processes make machines too.
        int network = ((Environment.ProcessId * Most) + number - 1) % Networks * 4;
        string here = Address(network + 1);
        string there = Address(network + 2);
        Launcher =
        [
            "ip",
            "netns",
            "exec",
            _name,
            .. core is { } only ? (string[])["taskset", "--cpu-list", only.ToString(CultureInfo.InvariantCulture)] : [],
        ];
        Gateway = here;
        Run("netns", "add", _name);
        Run("link", "add", _cable, "type", "veth", "peer", "name", "cable", "netns", _name);
        Run("addr", "add", here + "/30", "dev", _cable);
        Run("link", "set", _cable, "up");
        Run("-n", _name, "addr", "add", there + "/30", "dev", "cable");
        Run("-n", _name, "link", "set", "cable", "up");
        Run("-n", _name, "link", "set", "lo", "up");
    }

    /// <summary>Why there are none here; null when there are.</summary>
    public static string? Hindrance { get; } =
        !Environment.IsPrivilegedProcess ? "Network namespaces need root."
        : !File.Exists("/usr/sbin/ip") && !File.Exists("/sbin/ip") ? "Network namespaces need iproute2."
        : null;

    /// <summary>The network of all machines.</summary>
    public static string Network => "10.213.0.0/16";

    /// <summary>This machine's address, seen from there.</summary>
    public string Gateway { get; }

    /// <summary>A command that runs another over there, and becomes it.</summary>
    public IReadOnlyList<string> Launcher { get; }

    public void PullCable() => Run("link", "set", _cable, "down");

    public void PlugCable() => Run("link", "set", _cable, "up");

    public void Dispose() => Run("netns", "delete", _name);

    private static string Address(int number) =>
        string.Create(CultureInfo.InvariantCulture, $"10.213.{number >> 8}.{number & 255}");

    private static void Run(params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo("ip", arguments) { RedirectStandardError = true, UseShellExecute = false }
        )!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {error}");
        }
    }
}
