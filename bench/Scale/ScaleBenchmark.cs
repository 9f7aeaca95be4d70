using System.Globalization;
using System.Net.Http.Headers;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Service;
using Seq2Seq.Bench.Store;

namespace Seq2Seq.Bench.Scale;

/// <summary>
/// Jobs from a thousand lines to a million, and one of as many bytes as a submit may have, by every way in; then many small
/// ones. What must hold: the cost of a line does not grow with the job, no process's memory does, and results come while the
/// job runs. On the tiny model, so that all else is measured.
/// </summary>
internal sealed class ScaleBenchmark : IBenchmark
{
    private static readonly string[] _header =
    [
        "",
        "lines",
        "MB",
        "accepted after, s",
        "first results, s",
        "all, s",
        "µs a line",
        "read while it ran",
        "service, MiB",
        "client, MiB",
        "largest backend, MiB",
        "all backends, MiB",
    ];

    public string Id => "scale";

    public string Title => "From a thousand lines to a million, and many small jobs";

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        using TinyService tiny = new(context.Files);
        List<IReadOnlyList<string>> rows = [];
        SmallJobs small;
        await using (
            ServiceRun service = await ServiceRun.StartAsync(
                new ServiceRunOptions { Configuration = tiny.Configuration },
                cancellationToken
            )
        )
        {
            // The first job of a service pays for what is compiled then.
            await OverHttpAsync(service, Text(context.Scale.JobLines[0]), cancellationToken);
            foreach (int lines in context.Scale.JobLines)
            {
                context.Progress($"{lines} lines over HTTP and by run");
                rows.Add(await OverHttpAsync(service, Text(lines), cancellationToken));
                rows.Add(await OverHttpAsync(service, Form(lines), cancellationToken));
                rows.Add(await RunAsync(tiny, service, Short(lines), cancellationToken));
            }

            context.Progress($"{context.Scale.LongLines} long lines over HTTP and by run");
            rows.Add(await OverHttpAsync(service, LongText(context.Scale.LongLines), cancellationToken));
            rows.Add(await RunAsync(tiny, service, Long(context.Scale.LongLines), cancellationToken));
            context.Progress($"{context.Scale.SmallHttpJobs} small jobs");
            small = await SmallJobs.RunAsync(service, context.Scale.SmallHttpJobs, cancellationToken);
        }

        foreach (int lines in context.Scale.JobLines)
        {
            context.Progress($"{lines} lines by run, with a service of its own");
            rows.Add(await RunAsync(tiny, service: null, Short(lines), cancellationToken));
        }

        context.Progress($"{context.Scale.LongLines} long lines by run, with a service of its own");
        rows.Add(await RunAsync(tiny, service: null, Long(context.Scale.LongLines), cancellationToken));

        return new BenchmarkSection
        {
            Id = Id,
            Title = Title,
            Tables = [new ResultTable(_header, rows), small.Rate, small.Sizes],
            Notes =
            [
                "The model has one layer of width 12 and makes two tokens a line. First results are counted from the answer to the submit, those of `run` from the command's start; a service of its own starts with it.",
                "Memory is the most that was seen in samples every 50 ms: all that is resident of the service and of a client in a process of its own, and what belongs to PostgreSQL's processes alone, without the 128 MB of shared buffers.",
            ],
        };
    }

    private static async Task<IReadOnlyList<string>> OverHttpAsync(
        ServiceRun service,
        Submit submit,
        CancellationToken cancellationToken
    )
    {
        await using MemoryWatch memory = new(service.ProcessId, client: null, () => service.Folder.Postmaster);
        using HttpContent content = submit.Content;
        JobTimes times = await JobOverHttp.RunAsync(service.Http, submit.Address, content, cancellationToken);
        return Row(submit.Name, times, submit.Bytes, memory);
    }

    private static async Task<IReadOnlyList<string>> RunAsync(
        TinyService tiny,
        ServiceRun? service,
        TextFile text,
        CancellationToken cancellationToken
    )
    {
        string input = tiny.File("lines.txt");
        await using (FileStream file = File.Create(input))
        {
            await text.Lines.CopyToAsync(file, cancellationToken);
        }

        using ServiceFolder own = new();
        string[] arguments = service is null
            ? ["--config", tiny.Configuration, "--data", own.Path]
            : ["--server", service.Http.BaseAddress!.ToString()];
        MemoryWatch? memory = null;
        JobTimes times = await RunCommand.RunAsync(
            input,
            text.Parameters,
            tiny.File("results.jsonl"),
            arguments,
            process =>
                memory = service is null
                    ? new MemoryWatch(process, client: null, () => own.Postmaster)
                    : new MemoryWatch(service.ProcessId, process, () => service.Folder.Postmaster),
            cancellationToken
        );
        return Row(
            (service is null ? "`run`, its own service" : "`run --server`") + text.Kind,
            times,
            new FileInfo(input).Length,
            memory!
        );
    }

    private static IReadOnlyList<string> Row(string name, JobTimes times, long bytes, MemoryWatch memory) =>
        [
            name,
            times.Lines.ToString("N0", CultureInfo.InvariantCulture),
            Number(bytes / 1e6, 1),
            times.Submit is { } submit ? Number(submit, 2) : "",
            Number(times.First, 2),
            Number(times.Total, 2),
            Number(1e6 * times.Total / times.Lines, 1),
            times.Early is { } early ? Number(100.0 * early / times.Lines, 0) + " %" : "",
            Number(memory.Program, 0),
            memory.Client > 0 ? Number(memory.Client, 0) : "",
            Number(memory.LargestBackend, 1),
            Number(memory.AllBackends, 0),
        ];

    private static TextFile Short(int lines) =>
        new("", new NumberedLines(lines, i => FormattableString.Invariant($"The fox no. {i}")), TinyService.Parameters);

    // Cut to what the model takes, so that each has a result.
    private static TextFile Long(int lines)
    {
        const int bytes = 535;
        return new TextFile(
            ", long lines",
            new NumberedLines(lines, i => FormattableString.Invariant($"The fox no. {i} ").PadRight(bytes, 'x')),
            """{"max_new_tokens":2,"long_lines":"truncate"}"""
        );
    }

    private static Submit Text(int lines) => Text(Short(lines), Bytes(Short(lines).Lines));

    private static Submit LongText(int lines) => Text(Long(lines), Bytes(Long(lines).Lines));

    private static Submit Text(TextFile text, long bytes) =>
        new(
            "HTTP, text" + text.Kind,
            $"jobs?model={TinyService.Model}&parameters={Uri.EscapeDataString(text.Parameters)}",
            Content(text.Lines, "text/plain"),
            bytes
        );

    private static Submit Form(int lines)
    {
        NumberedLines Objects() =>
            new(lines, i => FormattableString.Invariant($"{{\"custom_id\":\"fox-{i}\",\"text\":\"The fox no. {i}\"}}"));
        return new Submit(
            "HTTP, form with JSON Lines",
            "jobs",
            new MultipartFormDataContent
            {
                { new StringContent(TinyService.Model), "model" },
                { new StringContent(TinyService.Parameters), "parameters" },
                { Content(Objects(), "application/jsonl"), "file", "lines.jsonl" },
            },
            Bytes(Objects())
        );
    }

    private static StreamContent Content(Stream lines, string type)
    {
        StreamContent content = new(lines);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return content;
    }

    private static long Bytes(NumberedLines lines)
    {
        byte[] buffer = new byte[1 << 16];
        long bytes = 0;
        for (int read; (read = lines.Read(buffer)) > 0; )
        {
            bytes += read;
        }

        return bytes;
    }

    private static string Number(double number, int decimals) =>
        number.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>A line each, how long they are, and how they are done.</summary>
    private sealed record TextFile(string Kind, NumberedLines Lines, string Parameters);

    /// <summary>One job's request.</summary>
    private sealed record Submit(string Name, string Address, HttpContent Content, long Bytes);
}
