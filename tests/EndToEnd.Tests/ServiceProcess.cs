using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>A running <c>seq2seq serve</c>.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private bool _isDisposed;

    private ServiceProcess(Process process)
    {
        _process = process;
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Exited += (_, _) => _address.TrySetException(new InvalidOperationException("It ended: " + Log));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Id = process.Id;
    }

    public int Id { get; }

    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromMinutes(1) };

    /// <param name="data">Data folder.</param>
    /// <param name="role">all, api or worker.</param>
    /// <param name="environment">Configuration over the service's own.</param>
    /// <param name="launcher">A command that becomes the service's, such as <c>ip netns exec NAME</c>.</param>
    /// <param name="urls">Addresses to listen on; a worker has none.</param>
    public static ServiceProcess Start(
        string data,
        string role = "all",
        IReadOnlyDictionary<string, string>? environment = null,
        IReadOnlyList<string>? launcher = null,
        string urls = "http://127.0.0.1:0"
    )
    {
        List<string> arguments = ["serve", "--data", data, "--role", role];
        if (role != "worker")
        {
            arguments.AddRange(["--urls", urls]);
        }

        string[] command = [.. launcher ?? [], Program.Executable, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]);
        start.UseShellExecute = false;
        start.WorkingDirectory = "/";
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            start.Environment[name] = value;
        }

        return new ServiceProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
    }

    /// <summary>Returns when it answers over HTTP, ready or not.</summary>
    public async Task AnswersAsync(CancellationToken cancellationToken) =>
        Http.BaseAddress = await _address.Task.WaitAsync(Patience, cancellationToken);

    /// <summary>Returns when <c>/readyz</c> says so.</summary>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        await AnswersAsync(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        while (true)
        {
            using HttpResponseMessage response = await Http.GetAsync("readyz", limit.Token);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }

    public bool HasExited => _isDisposed || _process.HasExited;

    /// <summary>SIGSTOP: it does nothing more, and everybody thinks that it lives.</summary>
    public void Freeze() => Signal(_process.Id, Halt).Should().Be(0);

    /// <summary>SIGCONT: it goes on as if no time had passed.</summary>
    public void Thaw() => Signal(_process.Id, Continue).Should().Be(0);

    /// <summary>kill −9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Patience);
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        Signal(_process.Id, Terminate).Should().Be(0);
        return await EndAsync();
    }

    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
        {
            await StopAsync();
        }

        _isDisposed = true;
        Http.Dispose();
        _process.Dispose();
    }

    private const int Terminate = 15;
    private const int Continue = 18;
    private const int Halt = 19;

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_log)
        {
            _log.AppendLine(line);
        }

        const string announcement = "seq2seq answers on ";
        if (line.StartsWith(announcement, StringComparison.Ordinal))
        {
            _address.TrySetResult(new Uri(line[announcement.Length..].Split(' ')[0]));
        }
    }
}
