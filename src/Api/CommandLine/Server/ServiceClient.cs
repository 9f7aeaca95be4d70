using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Seq2Seq.Api.CommandLine.Running;
using Seq2Seq.Api.Hosting;

namespace Seq2Seq.Api.CommandLine.Server;

/// <summary>
/// The part of the HTTP API that <c>run</c> and <c>jobs</c> use. What the service refuses is a <see cref="CommandException"/> with its own words; a
/// service that can't be reached is an <see cref="HttpRequestException"/>, and worth another try.
/// </summary>
internal sealed class ServiceClient : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private readonly HttpClient _http;

    /// <param name="address">The service's address, with a slash at its end.</param>
    /// <param name="apiKey">Its API key; null when it needs none.</param>
    /// <param name="handler">Carries the requests; disposed with this client.</param>
    public ServiceClient(Uri address, string? apiKey, HttpMessageHandler handler)
    {
        _http = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (apiKey is { Length: > 0 })
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }
    }

    /// <exception cref="CommandException">It is no address.</exception>
    public static ServiceClient Connect(string address, string? apiKey) =>
        Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
            ? new ServiceClient(uri, apiKey, new SocketsHttpHandler())
            : throw new CommandException(
                $"--server is '{address}'; expected an address such as {ServiceHost.UsualUrls}."
            )
            {
                Code = ExitCode.Usage,
            };

    public Uri Address => _http.BaseAddress!;

    public async Task<bool> IsAliveAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            using HttpResponseMessage response = await _http.GetAsync("livez", limit.Token);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Submits the input as a job; with the same key twice, it is the same job.</summary>
    public async Task<JobStatus> SubmitAsync(
        JobOrder order,
        string idempotencyKey,
        Action<long> sent,
        CancellationToken cancellationToken
    )
    {
        var query = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["model"] = order.Model,
            ["format"] = order.InputFormat,
            ["name"] = order.Name ?? Path.GetFileName(order.Input),
            ["priority"] = order.Priority.ToString(CultureInfo.InvariantCulture),
            ["parameters"] = order.Parameters,
        };
        await using var input = new CountingStream(File.OpenRead(order.Input), sent);
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            "jobs" + QueryString.Create(query.Where(parameter => parameter.Value is not null))
        );
        request.Content = new StreamContent(input);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(
            order.InputFormat == "jsonl" ? "application/jsonl" : "text/plain"
        );
        request.Headers.Add("Idempotency-Key", idempotencyKey);
        using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken);
        return await ReadAsync<JobStatus>(response, cancellationToken);
    }

    /// <summary>A page of jobs, newest first.</summary>
    public Task<JobStatusPage> ListAsync(
        IEnumerable<KeyValuePair<string, string?>> filter,
        CancellationToken cancellationToken
    ) => SendAsync<JobStatusPage>(HttpMethod.Get, "jobs" + QueryString.Create(filter), body: null, cancellationToken);

    /// <summary>The job when it has ended, or as it is after the time.</summary>
    public Task<JobStatus> WaitAsync(Guid id, int seconds, CancellationToken cancellationToken) =>
        SendAsync<JobStatus>(
            HttpMethod.Get,
            string.Create(CultureInfo.InvariantCulture, $"jobs/{id}?wait_seconds={seconds}"),
            body: null,
            cancellationToken
        );

    /// <summary>Changes a job's course: <c>cancel</c>, <c>pause</c>, <c>resume</c> or <c>retry</c>.</summary>
    public Task<JobStatus> ActAsync(Guid id, string action, CancellationToken cancellationToken) =>
        SendAsync<JobStatus>(HttpMethod.Post, $"jobs/{id}/{action}", body: null, cancellationToken);

    public Task<JobStatus> SetPriorityAsync(Guid id, int priority, CancellationToken cancellationToken) =>
        SendAsync<JobStatus>(HttpMethod.Patch, $"jobs/{id}", JsonContent.Create(new { priority }), cancellationToken);

    public Task<JobStatus> GetAsync(Guid id, CancellationToken cancellationToken) =>
        SendAsync<JobStatus>(HttpMethod.Get, $"jobs/{id}", body: null, cancellationToken);

    /// <summary>Opens the results that are ready, from a line on; the caller disposes the response.</summary>
    public async Task<HttpResponseMessage> OpenResultsAsync(
        Guid id,
        string format,
        long fromLine,
        CancellationToken cancellationToken
    )
    {
        HttpResponseMessage response = await _http.GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"jobs/{id}/results?format={format}&from={fromLine}"),
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        try
        {
            await RefuseFailureAsync(response, cancellationToken);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(
        HttpMethod method,
        string address,
        HttpContent? body,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(method, address) { Content = body };
        using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken);
        return await ReadAsync<T>(response, cancellationToken);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await RefuseFailureAsync(response, cancellationToken);
        return (await response.Content.ReadFromJsonAsync<T>(Json, cancellationToken))!;
    }

    private static async Task RefuseFailureAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        if (response.StatusCode is >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests)
        {
            throw new HttpRequestException($"The service answered {(int)response.StatusCode}.");
        }

        throw new CommandException("The service refused: " + await ExplainAsync(response, cancellationToken));
    }

    private static async Task<string> ExplainAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            JsonElement problem = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            return problem.GetProperty("detail").GetString()!;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return string.Create(CultureInfo.InvariantCulture, $"status {(int)response.StatusCode}");
        }
    }
}
