using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using Seq2Seq.Bench.Measuring;

namespace Seq2Seq.Bench.Service;

/// <summary>
/// A <c>seq2seq serve</c>, on a PostgreSQL of its own where the settings name none, and jobs sent to it over HTTP.
/// </summary>
internal sealed partial class ServiceRun : IAsyncDisposable
{
    private const int Terminate = 15;
    private const string Announcement = "seq2seq answers on ";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    private readonly ServiceFolder _folder = new();
    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private string _last = "";

    private ServiceRun(ServiceRunOptions options)
    {
        string[] command =
        [
            .. options.Launcher,
            Executable,
            "serve",
            "--data",
            _folder.Path,
            "--role",
            options.Role,
            .. options.Role == ServiceRunOptions.Worker ? [] : (string[])["--urls", "http://127.0.0.1:0"],
            .. options.Configuration is null ? [] : (string[])["--config", options.Configuration],
        ];
        ProcessStartInfo start = new(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in options.Settings)
        {
            start.Environment[name] = value;
        }

        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Exited += (_, _) => _address.TrySetException(new InvalidOperationException("seq2seq serve ended."));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The program, built beside this one.</summary>
    public static string Executable { get; } =
        Path.GetFullPath(
            Path.Combine(
                Path.GetDirectoryName(ChildProcess.Bench)!,
                "..",
                "..",
                "Api",
                Path.GetFileName(Path.GetDirectoryName(ChildProcess.Bench)!),
                "seq2seq"
            )
        );

    public HttpClient Http { get; } = new() { Timeout = Timeout.InfiniteTimeSpan };

    public int ProcessId => _process.Id;

    /// <summary>Where its database lies.</summary>
    public ServiceFolder Folder => _folder;

    /// <summary>Starts it and waits until it is ready; a worker, which answers nobody, is starting.</summary>
    public static async Task<ServiceRun> StartAsync(ServiceRunOptions options, CancellationToken cancellationToken)
    {
        ServiceRun service = new(options);
        if (options.Role == ServiceRunOptions.Worker)
        {
            return service;
        }

        try
        {
            service.Http.BaseAddress = await service._address.Task.WaitAsync(_patience, cancellationToken);
            while (true)
            {
                using HttpResponseMessage response = await service.Http.GetAsync("readyz", cancellationToken);
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    return service;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            }
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Submits a file of lines as one job, and reads its results while it runs.</summary>
    /// <returns>Seconds from the first byte sent to the last received.</returns>
    /// <exception cref="InvalidOperationException">The job did not complete, or results are missing.</exception>
    public async Task<double> RunAsync(string lines, string model, CancellationToken cancellationToken)
    {
        await using FileStream file = File.OpenRead(lines);
        using StreamContent content = new(file);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        JobTimes times = await JobOverHttp.RunAsync(Http, $"jobs?model={model}", content, cancellationToken);
        return times.Total;
    }

    /// <exception cref="InvalidOperationException">It has ended; says its last line.</exception>
    public void ShouldRun()
    {
        if (_process.HasExited)
        {
            throw new InvalidOperationException($"seq2seq serve ended with {_process.ExitCode}: {_last}");
        }
    }

    /// <summary>kill −9.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await _process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Stops it and its database.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Signal(_process.Id, Terminate);
            await _process.WaitForExitAsync();
        }

        Http.Dispose();
        _process.Dispose();
        _folder.Dispose();
    }

    private void Read(string? line)
    {
        _last = string.IsNullOrWhiteSpace(line) ? _last : line;
        if (line?.StartsWith(Announcement, StringComparison.Ordinal) == true)
        {
            _address.TrySetResult(new Uri(line[Announcement.Length..].Split(' ')[0]));
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Signal(int process, int signal);
}
