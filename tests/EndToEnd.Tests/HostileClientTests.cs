using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>
/// What no client should send, to every route that the service's own OpenAPI document lists and to the pages, and clients that
/// never finish: the answer says what is wrong with the request, and the service lives.
/// </summary>
public sealed class HostileClientTests
{
    private const int Connections = 10_000;

    // On loopback, which several addresses stand for: an address has fewer ports than a thorough test needs.
    private const int ConnectionsPerAddress = 2500;

    private const long MostGrowth = 512L * 1024 * 1024;

    // In place of an id or a name.
    private static readonly string[] Segments =
    [
        "%00",
        "a%00b",
        "%2500",
        "%FF%FE",
        // Overlong UTF-8 of a dot, a slash and NUL, and half a pair of surrogates.
        "%C0%AE%C0%AE",
        "%E0%80%AF",
        "%C0%80",
        "%ED%A0%80",
        "..%2f..%2fetc%2fpasswd",
        "%2f",
        "%5c",
        "....//",
        "..;",
        "%252e%252e",
        "%",
        "%zz",
        "%u0000",
        "%0d%0aX-Injected:%201",
        "'%20OR%201=1--",
        "%F0%9F%92%A9",
        "-1",
        "00000000-0000-0000-0000-000000000000",
        "99999999999999999999",
        new('a', 7000),
    ];

    // A server takes these out of a path before it looks what is there: they lead to another address, which may be a good one.
    private static readonly string[] DotSegments = ["%2e%2e", "%2E"];

    // The document lists none of them.
    private static readonly (string Method, string Path)[] Pages =
    [
        ("GET", "/dashboard/jobs"),
        ("GET", "/dashboard/jobs/{id}"),
        ("GET", "/dashboard/models/{name}"),
        ("GET", "/dashboard/assets/{digest}/{name}"),
        .. from action in (string[])["cancel", "pause", "resume", "retry", "priority"]
        select ("POST", $"/dashboard/jobs/{{id}}/{action}"),
        .. from action in (string[])["pause", "resume", "load"] select ("POST", $"/dashboard/models/{{name}}/{action}"),
        ("POST", "/login"),
        ("POST", "/logout"),
        ("GET", "/hangfire/stats"),
        ("GET", "/hangfire/jobs/details/{id}"),
        ("POST", "/hangfire/jobs/actions/requeue/{id}"),
        ("POST", "/hangfire/jobs/actions/delete/{id}"),
        ("POST", "/hangfire/jobs/failed/requeue"),
    ];

    private static readonly string[] Queries =
    [
        "",
        "?limit=-1",
        "?limit=99999999999999999999",
        "?format=%00",
        "?model=%FF",
        "?after=';DROP%20TABLE%20job;--",
        "?a[]=1&a=2&=&&%",
    ];

    private static readonly (string MediaType, byte[] Body)[] Bodies =
    [
        ("application/json", []),
        ("application/json", "{"u8.ToArray()),
        ("application/json", "null"u8.ToArray()),
        ("application/json", "[]"u8.ToArray()),
        ("application/json", "1e999"u8.ToArray()),
        ("application/json", """{"model": 7, "inputs": {"a": []}, "input": false, "messages": "x"}"""u8.ToArray()),
        ("application/json", """{"no_such_field": true}"""u8.ToArray()),
        ("application/json", [(byte)'{', (byte)'"', 0xFF, 0xFE, (byte)'"', (byte)':', (byte)'1', (byte)'}']),
        ("application/json", [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00]),
        ("application/json", Encoding.ASCII.GetBytes(new string('[', 20_000))),
        ("application/json", Encoding.ASCII.GetBytes("{\"a\":\"" + new string('x', 200_000) + "\"}")),
        ("text/plain", [0xC3, 0x28, 0x00, 0x0A]),
        ("application/x-ndjson", "{]\n"u8.ToArray()),
        ("application/x-www-form-urlencoded", "jobs[]=%00&key=%00&priority=%00"u8.ToArray()),
        ("application/x-www-form-urlencoded", "jobs[]=x&key=x&priority=x"u8.ToArray()),
        ("multipart/form-data; boundary=x", "--x\r\n\r\n"u8.ToArray()),
        ("multipart/form-data", "x"u8.ToArray()),
        ("no-such/type; charset=klingon", "x"u8.ToArray()),
    ];

    private static readonly UriCreationOptions AsItStands = new()
    {
        DangerousDisablePathAndQueryCanonicalization = true,
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_route_answers_every_bad_request_with_what_is_wrong_and_never_with_a_fault_of_its_own()
    {
        using var data = new DataFolder();
        await using var service = ServiceProcess.Start(data.Path, "api");
        await service.ReadyAsync(Cancelled);
        service.Http.DefaultRequestHeaders.ExpectContinue = false;
        string job = await service.Http.SubmitAsync(Words.Lines(1), Cancelled);
        var faults = new List<string>();
        int requests = 0;
        foreach ((string method, string path) in (await RoutesAsync(service)).Concat(Pages))
        {
            // Hangfire has a page for a job that is not there.
            bool isRefused = !path.StartsWith("/hangfire", StringComparison.Ordinal);
            foreach (string segment in path.Contains('{', StringComparison.Ordinal) ? Segments : [])
            {
                requests++;
                await TryAsync(service, method, Fill(path, segment), body: null, isRefused, faults);
            }

            foreach (string segment in path.Contains('{', StringComparison.Ordinal) ? DotSegments : [])
            {
                requests++;
                await TryAsync(service, method, Fill(path, segment), body: null, isRefused: false, faults);
            }

            foreach (string query in Queries)
            {
                requests++;
                await TryAsync(service, method, Fill(path, job) + query, body: null, isRefused: false, faults);
            }

            foreach (var body in method is "GET" or "DELETE" ? [] : Bodies)
            {
                requests++;
                await TryAsync(service, method, Fill(path, job), body, isRefused: false, faults);
            }
        }

        string.Join('\n', faults).Should().BeEmpty();
        requests.Should().BeGreaterThan(500);
        service.Log.Should().NotContain("internal_error");
        (await service.Http.GetAsync("livez", Cancelled)).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Ten_thousand_clients_that_never_finish_their_request_leave_the_others_served_and_memory_bounded()
    {
        using var data = new DataFolder();
        await using var service = ServiceProcess.Start(data.Path, "api");
        await service.ReadyAsync(Cancelled);
        long before = Memory(service);
        byte[] beginning = "POST /jobs?model=english-tts HTTP/1.1\r\nHost: x\r\nContent-"u8.ToArray();
        List<Socket> slow = [];
        try
        {
            for (int i = 0; i < Connections; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                slow.Add(socket);
                socket.Bind(new IPEndPoint(IPAddress.Parse($"127.0.1.{1 + (i / ConnectionsPerAddress)}"), 0));
                await socket.ConnectAsync(IPAddress.Loopback, service.Http.BaseAddress!.Port, Cancelled);
                await socket.SendAsync(beginning, Cancelled);
            }

            string job = await service.Http.SubmitAsync(Words.Lines(10), Cancelled);
            (await service.Http.StateAsync(job, Cancelled)).Name.Should().Be("queued");
            (Memory(service) - before).Should().BeLessThan(MostGrowth);
        }
        finally
        {
            slow.ForEach(socket => socket.Dispose());
        }

        service.HasExited.Should().BeFalse();
    }

    // Where it need not be refused, an answer that is no error is fine: a list takes no notice of a body, and some queries mean
    // nothing to a route.
    private static async Task TryAsync(
        ServiceProcess service,
        string method,
        string address,
        (string MediaType, byte[] Body)? body,
        bool isRefused,
        List<string> faults
    )
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method),
            new Uri(service.Http.BaseAddress!.GetLeftPart(UriPartial.Authority) + address, AsItStands)
        );
        if (body is { } sent)
        {
            request.Content = new ByteArrayContent(sent.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", sent.MediaType);
        }

        string what =
            $"{method} {(address.Length > 100 ? address[..100] + "…" : address)} {body?.MediaType} {body?.Body.Length}";
        using HttpResponseMessage response = await service.Http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            Cancelled
        );
        int status = (int)response.StatusCode;
        if (status >= 500 || (isRefused && status < 400))
        {
            faults.Add($"{what}: {status}");
        }
        else if (status >= 400 && !IsOfServer(response))
        {
            // Each dialect has its own shape; none has a page of text but the login, which is shown again.
            string type = response.Content.Headers.ContentType?.MediaType ?? "";
            if (
                !type.EndsWith("json", StringComparison.Ordinal)
                && !address.StartsWith("/login", StringComparison.Ordinal)
            )
            {
                faults.Add($"{what}: {status} as '{type}'");
            }
        }
    }

    // What is no HTTP request at all never comes to the service: the server beneath refuses it with a status alone, and hangs up.
    private static bool IsOfServer(HttpResponseMessage response) =>
        response is { Headers.ConnectionClose: true, Content.Headers.ContentLength: 0 };

    private static async Task<IReadOnlyList<(string Method, string Path)>> RoutesAsync(ServiceProcess service)
    {
        using var document = JsonDocument.Parse(await service.Http.GetStringAsync("openapi/v1.json", Cancelled));
        return
        [
            .. document
                .RootElement.GetProperty("paths")
                .EnumerateObject()
                .SelectMany(path =>
                    path.Value.EnumerateObject().Select(operation => (operation.Name.ToUpperInvariant(), path.Name))
                ),
        ];
    }

    private static string Fill(string path, string segment)
    {
        while (path.IndexOf('{', StringComparison.Ordinal) is >= 0 and int start)
        {
            int end = path.IndexOf('}', start);
            path = path[..start] + segment + path[(end + 1)..];
        }

        return path;
    }

    private static long Memory(ServiceProcess service)
    {
        using Process process = Process.GetProcessById(service.Id);
        return process.WorkingSet64;
    }
}
