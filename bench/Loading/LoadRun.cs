using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Inference;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Bench.Loading;

/// <summary>What a load took whose files were not in memory.</summary>
internal sealed record LoadRunResult
{
    [JsonPropertyName("bytes")]
    public required long Bytes { get; init; }

    /// <summary>Reading the weights' bytes, and nothing else, after they were put out of memory.</summary>
    [JsonPropertyName("read_s")]
    public required double ReadSeconds { get; init; }

    /// <summary>Loading the model, after they were put out of memory again.</summary>
    [JsonPropertyName("load_s")]
    public required double LoadSeconds { get; init; }

    [JsonPropertyName("peak_rss_mb")]
    public required long PeakMegabytes { get; init; }

    /// <summary>Peak before the model was touched.</summary>
    [JsonPropertyName("base_rss_mb")]
    public required long BaseMegabytes { get; init; }
}

/// <summary>Loads a model from the disk, in this process.</summary>
internal static partial class LoadRun
{
    private const int DontNeed = 4;

    public static async Task<LoadRunResult> RunAsync(string model, string compute, CancellationToken cancellationToken)
    {
        string[] files = Directory.GetFiles(model);
        PutOutOfMemory(files);
        string[] weights =
        [
            .. files.Where(file =>
                file.EndsWith(".safetensors", StringComparison.Ordinal)
                || file.EndsWith(".bin", StringComparison.Ordinal)
            ),
        ];
        long started = Stopwatch.GetTimestamp();
        long bytes = 0;
        byte[] buffer = new byte[1 << 20];
        foreach (string file in weights)
        {
            await using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            for (int read; (read = await stream.ReadAsync(buffer, cancellationToken)) > 0; )
            {
                bytes += read;
            }
        }

        double readSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        PutOutOfMemory(files);
        long before = PeakMemory.Megabytes();
        started = Stopwatch.GetTimestamp();
        ModelLoadOptions options = new()
        {
            Name = "bench",
            Folder = model,
            ComputeType = compute,
        };
        await using SequenceModel loaded = SequenceModel.Load(options, cancellationToken);
        return new LoadRunResult
        {
            Bytes = bytes,
            ReadSeconds = readSeconds,
            LoadSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
            PeakMegabytes = PeakMemory.Megabytes(),
            BaseMegabytes = before,
        };
    }

    /// <summary>Asks the system to forget the files' pages (posix_fadvise(2)); it need not, and the report shows both times.</summary>
    private static void PutOutOfMemory(string[] files)
    {
        foreach (string file in files)
        {
            using SafeFileHandle handle = File.OpenHandle(file);
            _ = Advise(handle, 0, 0, DontNeed);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
