using System.Diagnostics;
using System.Globalization;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>
/// Stands for another machine: a network namespace of its own with one cable to this one, which can be pulled. Needs root and
/// iproute2.
/// </summary>
internal sealed class Machine : IDisposable
{
    private readonly string _name;

    /// <param name="number">From 1; no two at a time may have the same.</param>
    public Machine(int number)
    {
        string run = string.Create(CultureInfo.InvariantCulture, $"{System.Environment.ProcessId % 100_000}-{number}");
        _name = "seq2seq-" + run;
        Cable = "s2s" + run;
        Gateway = string.Create(CultureInfo.InvariantCulture, $"10.213.{number}.1");
        Run("netns", "add", _name);
        Run("link", "add", Cable, "type", "veth", "peer", "name", "cable", "netns", _name);
        Run("addr", "add", Gateway + "/24", "dev", Cable);
        Run("link", "set", Cable, "up");
        string address = string.Create(CultureInfo.InvariantCulture, $"10.213.{number}.2/24");
        Run("-n", _name, "addr", "add", address, "dev", "cable");
        Run("-n", _name, "link", "set", "cable", "up");
        Run("-n", _name, "link", "set", "lo", "up");
    }

    /// <summary>Why there are none here; null when there are.</summary>
    public static string? Hindrance { get; } =
        !System.Environment.IsPrivilegedProcess ? "Network namespaces need root."
        : !File.Exists("/usr/sbin/ip") && !File.Exists("/sbin/ip") ? "Network namespaces need iproute2."
        : null;

    /// <summary>The network of all machines.</summary>
    public static string Network => "10.213.0.0/16";

    /// <summary>This machine's address, seen from there.</summary>
    public string Gateway { get; }

    /// <summary>A command that runs another over there.</summary>
    public IReadOnlyList<string> Launcher => ["ip", "netns", "exec", _name];

    private string Cable { get; }

    public void PullCable() => Run("link", "set", Cable, "down");

    public void PlugCable() => Run("link", "set", Cable, "up");

    public void Dispose() => Run("netns", "delete", _name);

    private static void Run(params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo("ip", arguments) { RedirectStandardError = true, UseShellExecute = false }
        )!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(0, $"ip {string.Join(' ', arguments)}: {error}");
    }
}
