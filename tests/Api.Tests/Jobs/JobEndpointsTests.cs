using System.Net;
using System.Text.Json;

namespace Seq2Seq.Api.Tests.Jobs;

public sealed class JobEndpointsTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_names_the_loads_that_served_it_with_every_try()
    {
        Guid id = await api.Client.SubmitAsync("a", "b");

        JsonElement job = await api.Client.WaitAsync(id);

        JsonElement load = job.GetProperty("served_by").EnumerateArray().Should().ContainSingle().Subject;
        load.GetProperty("model").GetString().Should().Be("capitals");
        load.GetProperty("slot").GetString().Should().Be("cpu:0");
        load.GetProperty("lines").GetInt64().Should().Be(2);
        JsonElement report = load.GetProperty("report");
        report.GetProperty("strategy").GetString().Should().Be("config-first");
        report.GetProperty("tries").GetArrayLength().Should().Be(2);
        report.GetProperty("tries")[0].GetProperty("code").GetString().Should().Be("weights_missing");
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first_in_pages_without_gaps()
    {
        List<Guid> submitted = [];
        for (int job = 0; job < 5; job++)
        {
            submitted.Add(await SubmitNamedAsync($"page {job}"));
        }

        submitted.Reverse();
        List<Guid> listed = [];
        string? address = "/jobs?search=page&limit=2";
        while (address is not null)
        {
            HttpResponseMessage response = await api.Client.GetAsync(address, Cancellation);
            JsonElement page = await response.ReadAsync();
            page.GetProperty("jobs").GetArrayLength().Should().BeInRange(1, 2);
            listed.AddRange(page.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("id").GetGuid()));
            bool hasNext = page.GetProperty("next").ValueKind == JsonValueKind.String;
            response.Headers.Contains("Link").Should().Be(hasNext);
            address = hasNext ? response.Headers.GetValues("Link").Single().Split('<', '>')[1] : null;
        }

        listed.Should().Equal(submitted);
    }

    [Fact]
    public async Task Jobs_are_found_by_state_model_name_and_id()
    {
        string line = CapitalsModel.HeldLine();
        Guid held = await SubmitNamedAsync("needle in a 100% hay_stack", line);
        Guid done = await SubmitNamedAsync("other");
        await SubmitNamedAsync("hay-stack");
        await api.Client.GetJsonAsync($"/jobs/{done}?wait_seconds=1");

        (await ListAsync("search=100%25%20hay_")).Should().Equal(held);
        (await ListAsync($"search={held.ToString()[..13]}")).Should().Contain(held);
        (await ListAsync("state=completed&search=needle")).Should().BeEmpty();
        (await ListAsync("model=capitals&search=needle")).Should().Equal(held);
        (await ListAsync("model=other&search=needle")).Should().BeEmpty();

        api.Application.CapitalsModel.Release(line);
        await api.Client.WaitAsync(held);
        (await ListAsync("state=completed&search=needle")).Should().Equal(held);
    }

    [Fact]
    public async Task Cancelling_stops_a_job_and_keeps_what_it_has()
    {
        string held = CapitalsModel.HeldLine();
        // Shards of 1, 2, 4 and 5 lines: the last is held.
        Guid id = await api.Client.SubmitAsync([
            .. Enumerable.Range(0, 10).Select(line => $"line {line}"),
            held,
            "after",
        ]);
        await WaitForLinesAsync(id, 7);

        HttpResponseMessage response = await api.Client.PostAsync($"/jobs/{id}/cancel", content: null, Cancellation);

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        (await response.ReadAsync()).GetProperty("state").GetString().Should().Be("cancelled");
        HttpResponseMessage again = await api.Client.PostAsync($"/jobs/{id}/cancel", content: null, Cancellation);
        (await again.ReadAsync()).GetProperty("state").GetString().Should().Be("cancelled");
        string kept = await api.Client.GetStringAsync($"/jobs/{id}/results?format=text", Cancellation);
        kept.Split('\n').Should().HaveCount(8).And.StartWith("LINE 0");
        api.Application.CapitalsModel.Release(held);
    }

    [Fact]
    public async Task A_job_that_is_as_the_caller_knows_it_is_not_sent_again()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync("a", held);
        await WaitForLinesAsync(id, 1);
        foreach (string address in new[] { $"/jobs/{id}", $"/jobs/{id}/results" })
        {
            string tag = (await api.Client.GetAsync(address, Cancellation)).Headers.ETag!.ToString();

            HttpResponseMessage again = await GetUnlessAsync(address, tag);
            again.StatusCode.Should().Be(HttpStatusCode.NotModified, address);
            again.Headers.ETag!.ToString().Should().Be(tag);
            (await again.Content.ReadAsByteArrayAsync(Cancellation)).Should().BeEmpty();
            (await GetUnlessAsync(address, "\"other\"")).StatusCode.Should().Be(HttpStatusCode.OK);
            (await GetUnlessAsync(address, $"\"other\", W/{tag}")).StatusCode.Should().Be(HttpStatusCode.NotModified);
        }

        string before = (await api.Client.GetAsync($"/jobs/{id}", Cancellation)).Headers.ETag!.ToString();
        string resultsBefore = (
            await api.Client.GetAsync($"/jobs/{id}/results", Cancellation)
        ).Headers.ETag!.ToString();
        api.Application.CapitalsModel.Release(held);
        await api.Client.WaitAsync(id);
        (await GetUnlessAsync($"/jobs/{id}", before)).StatusCode.Should().Be(HttpStatusCode.OK);
        (await GetUnlessAsync($"/jobs/{id}/results", resultsBefore)).StatusCode.Should().Be(HttpStatusCode.OK);
        (await GetUnlessAsync($"/jobs/{id}/results?from=1", resultsBefore)).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    private async Task<HttpResponseMessage> GetUnlessAsync(string address, string tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.TryAddWithoutValidation("If-None-Match", tag).Should().BeTrue();
        return await api.Client.SendAsync(request, Cancellation);
    }

    [Fact]
    public async Task Shards_are_listed_in_pages_with_their_attempts()
    {
        Guid id = await api.Client.SubmitAsync([.. Enumerable.Range(0, 35).Select(line => $"line {line}")]);
        await api.Client.WaitAsync(id);

        JsonElement first = await api.Client.GetJsonAsync($"/jobs/{id}/shards?limit=3");
        first.GetProperty("shards").GetArrayLength().Should().Be(3);
        first.GetProperty("next").GetInt64().Should().Be(3);
        JsonElement last = await api.Client.GetJsonAsync($"/jobs/{id}/shards?limit=3&after_line=15");
        JsonElement shard = last.GetProperty("shards").EnumerateArray().Should().ContainSingle().Subject;
        shard.GetProperty("first_line").GetInt64().Should().Be(25);
        shard.GetProperty("lines").GetInt32().Should().Be(10);
        shard.GetProperty("state").GetString().Should().Be("done");
        shard.GetProperty("attempts").GetInt32().Should().Be(1);
        last.GetProperty("next").ValueKind.Should().Be(JsonValueKind.Null);
    }

    private async Task<Guid> SubmitNamedAsync(string name, string line = "a")
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            $"/jobs?model=capitals&name={Uri.EscapeDataString(name)}",
            ApiClient.Text(line),
            Cancellation
        );
        return (await response.ReadAsync()).GetProperty("id").GetGuid();
    }

    private async Task<IEnumerable<Guid>> ListAsync(string query) =>
        (await api.Client.GetJsonAsync($"/jobs?{query}"))
            .GetProperty("jobs")
            .EnumerateArray()
            .Select(job => job.GetProperty("id").GetGuid());

    private Task WaitForLinesAsync(Guid id, long lines) =>
        Seq2Seq.Testing.Eventually.HoldsAsync(
            async () => (await api.Client.GetJsonAsync($"/jobs/{id}")).GetProperty("lines_done").GetInt64() >= lines,
            TimeSpan.FromSeconds(30),
            $"{lines} lines of {id} are done"
        );
}
