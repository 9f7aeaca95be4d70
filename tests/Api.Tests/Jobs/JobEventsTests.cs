using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Seq2Seq.Api.Tests.Jobs;

public sealed class JobEventsTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_follow_a_job_to_its_end()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/jobs/{id}/events");
        using HttpResponseMessage response = await api.Client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            Cancellation
        );
        response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
        List<SseItem<string>> events = [];

        await foreach (
            SseItem<string> item in SseParser
                .Create(await response.Content.ReadAsStreamAsync(Cancellation))
                .EnumerateAsync(Cancellation)
        )
        {
            events.Add(item);
            if (events.Count == 1)
            {
                api.Application.CapitalsModel.Release(held);
            }
        }

        events[0].EventType.Should().Be("progress");
        events[^1].EventType.Should().Be("finished");
        events.Select(item => item.EventId).Should().OnlyHaveUniqueItems();
        JsonElement job = JsonDocument.Parse(events[^1].Data).RootElement;
        job.GetProperty("state").GetString().Should().Be("completed");
        job.GetProperty("lines_done").GetInt64().Should().Be(1);
    }

    [Fact]
    public async Task A_client_that_comes_back_sees_the_next_change_and_nothing_twice()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);
        await Seq2Seq.Testing.Eventually.HoldsAsync(
            async () => (await api.Client.GetJsonAsync($"/jobs/{id}")).GetProperty("state").GetString() == "running",
            TimeSpan.FromSeconds(30),
            "the job runs"
        );
        SseItem<string> seen = await FirstAsync(id, lastSeen: null);
        seen.EventType.Should().Be("progress");

        Task<SseItem<string>> next = FirstAsync(id, seen.EventId);
        api.Application.CapitalsModel.Release(held);

        SseItem<string> change = await next;
        change.EventId.Should().NotBe(seen.EventId);
        JsonDocument.Parse(change.Data).RootElement.GetProperty("lines_done").GetInt64().Should().Be(1);
    }

    private async Task<SseItem<string>> FirstAsync(Guid id, string? lastSeen)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/jobs/{id}/events");
        if (lastSeen is not null)
        {
            request.Headers.Add("Last-Event-ID", lastSeen);
        }

        using HttpResponseMessage response = await api.Client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            Cancellation
        );
        return await SseParser
            .Create(await response.Content.ReadAsStreamAsync(Cancellation))
            .EnumerateAsync(Cancellation)
            .FirstAsync(Cancellation);
    }

    [Fact]
    public async Task A_client_that_saw_the_end_is_told_to_stop()
    {
        Guid id = await api.Client.SubmitAsync("a");
        await api.Client.WaitAsync(id);
        string all = await api.Client.GetStringAsync($"/jobs/{id}/events", Cancellation);
        string last = all.Split('\n').Last(line => line.StartsWith("id:", StringComparison.Ordinal))[3..].Trim();

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/jobs/{id}/events");
        request.Headers.Add("Last-Event-ID", last);
        HttpResponseMessage response = await api.Client.SendAsync(request, Cancellation);

        response.StatusCode.Should().Be(HttpStatusCode.NoContent);
    }
}
