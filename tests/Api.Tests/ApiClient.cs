using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Seq2Seq.Api.Tests;

/// <summary>What the tests say to the API again and again.</summary>
internal static class ApiClient
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    public static StringContent Text(string body) => new(body, Encoding.UTF8, "text/plain");

    public static ByteArrayContent Raw(byte[] body, string contentType)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return content;
    }

    public static async Task<JsonElement> ReadAsync(this HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);

    public static async Task<JsonElement> GetJsonAsync(this HttpClient client, string address)
    {
        HttpResponseMessage response = await client.GetAsync(address, Cancellation);
        response.EnsureSuccessStatusCode();
        return await response.ReadAsync();
    }

    /// <summary>Submits lines of text; the job as answered.</summary>
    public static async Task<Guid> SubmitAsync(this HttpClient client, params string[] lines)
    {
        HttpResponseMessage response = await client.PostAsync(
            $"/jobs?model={ApiApplication.Model}",
            Text(string.Concat(lines.Select(line => line + "\n"))),
            Cancellation
        );
        response.EnsureSuccessStatusCode();
        return (await response.ReadAsync()).GetProperty("id").GetGuid();
    }

    /// <summary>The job once it has finished.</summary>
    public static async Task<JsonElement> WaitAsync(this HttpClient client, Guid job)
    {
        JsonElement answer = await client.GetJsonAsync($"/jobs/{job}?wait_seconds=30");
        if (answer.GetProperty("finished_at").ValueKind == JsonValueKind.Null)
        {
            JsonElement shards = await client.GetJsonAsync($"/jobs/{job}/shards");
            Assert.Fail($"The job has not finished: {answer} {shards}");
        }

        return answer;
    }

    /// <summary>The answer must be a complete problem of this status and code.</summary>
    public static async Task<JsonElement> ShouldBeProblemAsync(
        this HttpResponseMessage response,
        int status,
        string code
    )
    {
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        ((int)response.StatusCode).Should().Be(status, body);
        response.Content.Headers.ContentType!.MediaType.Should().Be("application/problem+json");
        JsonElement problem = JsonDocument.Parse(body).RootElement;
        problem.GetProperty("status").GetInt32().Should().Be(status);
        problem.GetProperty("code").GetString().Should().Be(code);
        problem.GetProperty("type").GetString().Should().Be($"/problems/{code}");
        problem.GetProperty("title").GetString().Should().NotBeNullOrWhiteSpace();
        problem.GetProperty("detail").GetString().Should().NotBeNullOrWhiteSpace();
        problem.GetProperty("trace_id").GetString().Should().MatchRegex("^[0-9a-f]{32}$");
        return problem;
    }
}
