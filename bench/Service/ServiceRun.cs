using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using Seq2Seq.Bench.Measuring;

namespace Seq2Seq.Bench.Service;

/// <summary>A <c>seq2seq serve</c> on a PostgreSQL of its own, and jobs sent to it over HTTP.</summary>
internal sealed partial class ServiceRun : IAsyncDisposable
{
    private const int Terminate = 15;
    private const string Announcement = "seq2seq answers on ";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("seq2seq-bench-");
    private readonly Process _process;
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceRun()
    {
        // Temporary folders are closed to others, and PostgreSQL runs as another user when this runs as root.
        File.SetUnixFileMode(_data.FullName, (UnixFileMode)0b111_001_001);
        ProcessStartInfo start = new(
            Path.Combine(
                Path.GetDirectoryName(ChildProcess.Bench)!,
                "..",
                "..",
                "Api",
                Path.GetFileName(Path.GetDirectoryName(ChildProcess.Bench)!),
                "seq2seq"
            ),
            ["serve", "--data", _data.FullName, "--urls", "http://127.0.0.1:0"]
        )
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Exited += (_, _) => _address.TrySetException(new InvalidOperationException("seq2seq serve ended."));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    public static async Task<ServiceRun> StartAsync(CancellationToken cancellationToken)
    {
        ServiceRun service = new();
        try
        {
            service._http.BaseAddress = await service._address.Task.WaitAsync(_patience, cancellationToken);
            while (true)
            {
                using HttpResponseMessage response = await service._http.GetAsync("readyz", cancellationToken);
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

    /// <summary>Submits a file of lines as one job, waits for its end, and reads all of its results.</summary>
    /// <returns>Seconds from the first byte sent to the last received.</returns>
    /// <exception cref="InvalidOperationException">The job did not complete, or results are missing.</exception>
    public async Task<double> RunAsync(string lines, string model, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        await using FileStream file = File.OpenRead(lines);
        using StreamContent content = new(file);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        using HttpResponseMessage submitted = await _http.PostAsync(
            new Uri($"jobs?model={model}", UriKind.Relative),
            content,
            cancellationToken
        );
        string body = await submitted.Content.ReadAsStringAsync(cancellationToken);
        if (submitted.StatusCode != HttpStatusCode.Accepted)
        {
            throw new InvalidOperationException($"The job was answered {(int)submitted.StatusCode}: {body}");
        }

        string id = JsonDocument.Parse(body).RootElement.GetProperty("id").GetString()!;
        JsonElement job;
        while (true)
        {
            job = await _http.GetFromJsonAsync<JsonElement>(new Uri("jobs/" + id, UriKind.Relative), cancellationToken);
            string state = job.GetProperty("state").GetString()!;
            if (state == "completed")
            {
                break;
            }

            if (state is "failed" or "cancelled")
            {
                throw new InvalidOperationException($"The job {state}: {job}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }

        long received = await CountResultsAsync(id, cancellationToken);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return received == job.GetProperty("lines").GetInt64() && job.GetProperty("lines_failed").GetInt64() == 0
            ? seconds
            : throw new InvalidOperationException($"{received} results were read of this job: {job}");
    }

    /// <summary>Stops it and its database.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Signal(_process.Id, Terminate);
            await _process.WaitForExitAsync();
        }

        _http.Dispose();
        _process.Dispose();
        _data.Delete(recursive: true);
    }

    private async Task<long> CountResultsAsync(string id, CancellationToken cancellationToken)
    {
        await using Stream results = await _http.GetStreamAsync(
            new Uri($"jobs/{id}/results?format=jsonl", UriKind.Relative),
            cancellationToken
        );
        byte[] buffer = new byte[1 << 16];
        long count = 0;
        for (int read; (read = await results.ReadAsync(buffer, cancellationToken)) > 0; )
        {
            count += buffer.AsSpan(0, read).Count((byte)'\n');
        }

        return count;
    }

    private void Read(string? line)
    {
        if (line?.StartsWith(Announcement, StringComparison.Ordinal) == true)
        {
            _address.TrySetResult(new Uri(line[Announcement.Length..].Split(' ')[0]));
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Signal(int process, int signal);
}
