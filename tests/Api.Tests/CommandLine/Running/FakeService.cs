using System.Globalization;
using System.Net;
using System.Text;

namespace Seq2Seq.Api.Tests.CommandLine.Running;

/// <summary>The HTTP API as a client sees it, for one job whose lines get ready when the test says so, on a network that breaks when it says so.</summary>
internal sealed class FakeService : HttpMessageHandler
{
    private readonly Dictionary<string, Guid> _jobs = new(StringComparer.Ordinal);

    public int Lines { get; set; } = 10;

    /// <summary>Lines that are ready; grows by itself with each look at the job.</summary>
    public int Ready { get; set; }

    public int ReadyPerLook { get; set; } = 3;

    public int FailedLines { get; set; }

    public string FinalState { get; set; } = "completed";

    /// <summary>Requests that fail before they are answered.</summary>
    public int Outages { get; set; }

    /// <summary>Answers with results that break off after some bytes.</summary>
    public int BrokenResults { get; set; }

    public HttpResponseMessage? Refusal { get; set; }

    public IReadOnlyCollection<string> IdempotencyKeys => _jobs.Keys;

    public List<string> Requests { get; } = [];

    /// <summary>The whole output in a format.</summary>
    public string Output(string format) =>
        (format == "csv" ? Header : "") + string.Concat(Enumerable.Range(0, Lines).Select(line => Line(line, format)));

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        Requests.Add($"{request.Method} {request.RequestUri!.PathAndQuery}");
        if (Outages > 0)
        {
            Outages--;
            throw new HttpRequestException("connection refused");
        }

        if (Refusal is { } refusal)
        {
            return refusal;
        }

        if (request.Method == HttpMethod.Post)
        {
            await request.Content!.CopyToAsync(Stream.Null, cancellationToken);
            string key = request.Headers.GetValues("Idempotency-Key").Single();
            if (!_jobs.TryGetValue(key, out Guid id))
            {
                id = Guid.NewGuid();
                _jobs.Add(key, id);
            }

            return Job(id);
        }

        string[] path = request.RequestUri.AbsolutePath.Split('/');
        var job = Guid.Parse(path[2]);
        if (path.Length == 3)
        {
            Ready = Math.Min(Lines, Ready + ReadyPerLook);
            return Job(job);
        }

        var query = System.Web.HttpUtility.ParseQueryString(request.RequestUri.Query);
        return Results(query["format"]!, int.Parse(query["from"]!, CultureInfo.InvariantCulture));
    }

    private const string Header = "line,text\n";

    private static string Line(int line, string format) =>
        FormattableString.Invariant(
            format switch
            {
                "csv" => $"{line},output {line}\n",
                "text" => $"output {line}\n",
                _ => (FormattableString)$"{{\"line\":{line}}}\n",
            }
        );

    private HttpResponseMessage Job(Guid id)
    {
        bool finished = Ready == Lines;
        return new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new StringContent(
                $$"""
                {"id": "{{id}}", "state": "{{(
                    finished ? FinalState : "running"
                )}}", "lines": {{Lines}}, "lines_done": {{Ready}},
                 "lines_failed": {{FailedLines}}, "finished_at": {{(finished ? "\"2026-01-01T00:00:00Z\"" : "null")}}}
                """,
                Encoding.UTF8,
                "application/json"
            ),
        };
    }

    private HttpResponseMessage Results(string format, int from)
    {
        string text =
            (format == "csv" ? Header : "")
            + string.Concat(Enumerable.Range(from, Ready - from).Select(line => Line(line, format)));
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Stream body = new MemoryStream(bytes);
        if (BrokenResults > 0)
        {
            BrokenResults--;
            body = new BreakingStream(bytes[..(bytes.Length / 2)]);
        }

        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(body) };
        response.Headers.Add("Seq2Seq-Next-Line", Ready.ToString(CultureInfo.InvariantCulture));
        response.Headers.Add("Seq2Seq-Complete", Ready == Lines ? "true" : "false");
        return response;
    }

    private sealed class BreakingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        ) =>
            await base.ReadAsync(buffer, cancellationToken) is > 0 and int read
                ? read
                : throw new IOException("connection reset");
    }
}
