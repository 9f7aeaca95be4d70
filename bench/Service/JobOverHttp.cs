using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json;

namespace Seq2Seq.Bench.Service;

/// <summary>One job over HTTP: submitted, and its results read in order while it runs.</summary>
internal static class JobOverHttp
{
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(50);
    private static readonly byte[] _line = "{\"line\":"u8.ToArray();

    /// <param name="http">A client of the service.</param>
    /// <param name="address">Where to submit.</param>
    /// <param name="content">The lines, in whatever form.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="InvalidOperationException">The job did not complete, or a result is missing, out of order or an error.</exception>
    public static async Task<JobTimes> RunAsync(
        HttpClient http,
        string address,
        HttpContent content,
        CancellationToken cancellationToken
    )
    {
        long started = Stopwatch.GetTimestamp();
        string id = await SubmitAsync(http, address, content, cancellationToken);
        double submit = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double? first = null;
        long next = 0;
        long early = 0;
        while (true)
        {
            (long read, bool complete) = await ReadAsync(http, id, next, cancellationToken);
            if (read > next)
            {
                first ??= Stopwatch.GetElapsedTime(started).TotalSeconds - submit;
            }

            next = read;
            if (complete)
            {
                break;
            }

            early = next;
            await Task.Delay(_pollInterval, cancellationToken);
        }

        double total = Stopwatch.GetElapsedTime(started).TotalSeconds;
        JsonElement job = await GetAsync(http, id, waitSeconds: 0, cancellationToken);
        return
            job.GetProperty("state").GetString() == "completed"
            && next == job.GetProperty("lines").GetInt64()
            && job.GetProperty("lines_failed").GetInt64() == 0
            ? new JobTimes(next, submit, first ?? 0, total, early)
            : throw new InvalidOperationException($"{next} results were read of this job: {job}");
    }

    /// <returns>The job's id.</returns>
    public static async Task<string> SubmitAsync(
        HttpClient http,
        string address,
        HttpContent content,
        CancellationToken cancellationToken
    )
    {
        using HttpResponseMessage response = await http.PostAsync(
            new Uri(address, UriKind.Relative),
            content,
            cancellationToken
        );
        string body = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.StatusCode == HttpStatusCode.Accepted
            ? JsonElement.Parse(body).GetProperty("id").GetString()!
            : throw new InvalidOperationException($"The job was answered {(int)response.StatusCode}: {body}");
    }

    /// <summary>The job as it is when it has ended, or after the time.</summary>
    public static async Task<JsonElement> GetAsync(
        HttpClient http,
        string id,
        int waitSeconds,
        CancellationToken cancellationToken
    )
    {
        await using Stream answer = await http.GetStreamAsync(
            new Uri(FormattableString.Invariant($"jobs/{id}?wait_seconds={waitSeconds}"), UriKind.Relative),
            cancellationToken
        );
        using JsonDocument job = await JsonDocument.ParseAsync(answer, default, cancellationToken);
        return job.RootElement.Clone();
    }

    private static async Task<(long Next, bool IsComplete)> ReadAsync(
        HttpClient http,
        string id,
        long from,
        CancellationToken cancellationToken
    )
    {
        using HttpResponseMessage response = await http.GetAsync(
            new Uri(FormattableString.Invariant($"jobs/{id}/results?format=jsonl&from={from}"), UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        response.EnsureSuccessStatusCode();
        await using Stream results = await response.Content.ReadAsStreamAsync(cancellationToken);
        return (
            await CountAsync(results, from, cancellationToken),
            response.Headers.GetValues("Seq2Seq-Complete").Single() == "true"
        );
    }

    /// <summary>Reads results in JSON Lines, which must be numbered in order.</summary>
    /// <returns>The number after the last.</returns>
    /// <exception cref="InvalidOperationException">A result is not the next.</exception>
    public static async Task<long> CountAsync(Stream results, long from, CancellationToken cancellationToken)
    {
        long next = from;
        PipeReader reader = PipeReader.Create(results, new StreamPipeReaderOptions(bufferSize: 1 << 16));
        while (true)
        {
            ReadResult read = await reader.ReadAsync(cancellationToken);
            ReadOnlySequence<byte> rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                Check(rest.Slice(0, end), next++);
                rest = rest.Slice(rest.GetPosition(1, end));
            }

            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
            {
                return next;
            }
        }
    }

    private static void Check(ReadOnlySequence<byte> result, long expected)
    {
        Span<byte> start = stackalloc byte[32];
        int length = (int)Math.Min(result.Length, start.Length);
        result.Slice(0, length).CopyTo(start);
        if (
            !start.StartsWith(_line)
            || !Utf8Parser.TryParse(start[_line.Length..length], out long line, out _)
            || line != expected
        )
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"Result {expected} is not the next in the answer.")
            );
        }
    }
}

/// <summary>What a job took.</summary>
/// <param name="Lines">Its lines.</param>
/// <param name="Submit">Seconds until it was accepted; null where that can't be seen.</param>
/// <param name="First">Seconds from then (or from the start) to the first results.</param>
/// <param name="Total">Seconds from the first byte sent to the last result received.</param>
/// <param name="Early">Lines whose results were received before the job had ended; null where that can't be seen.</param>
internal sealed record JobTimes(long Lines, double? Submit, double First, double Total, long? Early);
