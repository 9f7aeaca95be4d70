using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>Submits a file and fetches its results, as any HTTP client would.</summary>
internal static class JobClient
{
    public static async Task<string> SubmitAsync(
        this HttpClient http,
        IReadOnlyList<string> lines,
        CancellationToken cancellationToken
    )
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        using HttpResponseMessage response = await http.PostAsync("jobs?model=english-tts", content, cancellationToken);
        string body = await response.Content.ReadAsStringAsync(cancellationToken);
        ((int)response.StatusCode).Should().Be(202, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("id").GetString()!;
    }

    public static async Task<JobState> StateAsync(this HttpClient http, string job, CancellationToken cancellationToken)
    {
        JsonElement resource = await http.GetFromJsonAsync<JsonElement>("jobs/" + job, cancellationToken);
        return new JobState(
            resource.GetProperty("state").GetString()!,
            resource.GetProperty("lines_done").GetInt64(),
            resource.GetProperty("lines_failed").GetInt64()
        );
    }

    /// <summary>Returns when so many lines are done, or the job has finished.</summary>
    public static async Task<JobState> UntilAsync(
        this HttpClient http,
        string job,
        long linesDone,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        while (true)
        {
            JobState state = await http.StateAsync(job, limit.Token);
            if (state.LinesDone >= linesDone || state.Name is "completed" or "failed" or "cancelled")
            {
                return state;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), limit.Token);
        }
    }

    public static Task<string> ResultsAsync(
        this HttpClient http,
        string job,
        string format,
        CancellationToken cancellationToken
    ) => http.GetStringAsync($"jobs/{job}/results?format={format}", cancellationToken);

    internal sealed record JobState(string Name, long LinesDone, long LinesFailed);
}
