using System.Net;
using System.Text.Json;

namespace Seq2Seq.Api.Tests.Jobs;

public sealed class JobResultsTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Results_come_while_the_job_runs_and_say_how_to_go_on()
    {
        string held = CapitalsModel.HeldLine();
        // Shards of 1, 2, 4 and 5 lines: the last is held.
        Guid id = await api.Client.SubmitAsync([
            .. Enumerable.Range(0, 10).Select(line => $"line {line}"),
            held,
            "after",
        ]);
        await Seq2Seq.Testing.Eventually.HoldsAsync(
            async () => (await api.Client.GetJsonAsync($"/jobs/{id}")).GetProperty("lines_done").GetInt64() == 7,
            TimeSpan.FromSeconds(30),
            "all shards but the last are done"
        );

        HttpResponseMessage running = await GetAsync($"/jobs/{id}/results?format=text&from=5");
        (await running.Content.ReadAsStringAsync(Cancellation)).Should().Be("LINE 5\nLINE 6\n");
        Header(running, "Seq2Seq-Next-Line").Should().Be("7");
        Header(running, "Seq2Seq-Complete").Should().Be("false");
        Header(running, "Seq2Seq-Job-State").Should().Be("running");

        HttpResponseMessage nothing = await GetAsync($"/jobs/{id}/results?format=text&from=10");
        (await nothing.Content.ReadAsStringAsync(Cancellation)).Should().BeEmpty();
        Header(nothing, "Seq2Seq-Next-Line").Should().Be("10");

        api.Application.CapitalsModel.Release(held);
        await api.Client.WaitAsync(id);

        HttpResponseMessage rest = await GetAsync($"/jobs/{id}/results?format=text&from=10");
        (await rest.Content.ReadAsStringAsync(Cancellation)).Should().Be($"{held.ToUpperInvariant()}\nAFTER\n");
        Header(rest, "Seq2Seq-Next-Line").Should().Be("12");
        Header(rest, "Seq2Seq-Complete").Should().Be("true");
        Header(rest, "Seq2Seq-Job-State").Should().Be("completed");
    }

    [Fact]
    public async Task Json_lines_hold_ids_outputs_and_errors()
    {
        HttpResponseMessage submitted = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json("""{"model":"capitals","inputs":[{"custom_id":"x\"1","text":"ä\u2028b"},""]}"""),
            Cancellation
        );
        Guid id = (await submitted.ReadAsync()).GetProperty("id").GetGuid();
        await api.Client.WaitAsync(id);

        string[] lines = (await api.Client.GetStringAsync($"/jobs/{id}/results", Cancellation))
            .TrimEnd('\n')
            .Split('\n');

        lines.Should().HaveCount(2);
        JsonElement first = JsonDocument.Parse(lines[0]).RootElement;
        first.GetProperty("line").GetInt64().Should().Be(0);
        first.GetProperty("custom_id").GetString().Should().Be("x\"1");
        JsonElement output = first.GetProperty("outputs")[0];
        output.GetProperty("text").GetString().Should().Be("Ä\u2028B");
        output.GetProperty("token_ids").GetArrayLength().Should().Be(2);
        output.GetProperty("score").GetDouble().Should().Be(-0.25);
        output.GetProperty("finish_reason").GetString().Should().Be("stop");
        JsonElement second = JsonDocument.Parse(lines[1]).RootElement;
        second.GetProperty("error").GetProperty("code").GetString().Should().Be("line_empty");
    }

    [Theory]
    [InlineData("text/csv", "text/csv")]
    [InlineData("text/plain", "text/plain")]
    [InlineData("application/jsonl", "application/jsonl")]
    [InlineData("*/*", "application/jsonl")]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "application/jsonl")]
    [InlineData("text/csv;q=0.5, text/plain;q=0.9", "text/plain")]
    [InlineData("text/csv;q=0, */*;q=0.1", "application/jsonl")]
    public async Task Accept_chooses_the_format(string accept, string contentType)
    {
        Guid id = await api.Client.SubmitAsync("a");
        await api.Client.WaitAsync(id);

        HttpResponseMessage response = await GetAsync($"/jobs/{id}/results", accept);

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.Should().Be(contentType);
        response.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");
    }

    [Fact]
    public async Task An_unknown_accept_is_406_with_what_there_is()
    {
        Guid id = await api.Client.SubmitAsync("a");

        HttpResponseMessage response = await GetAsync($"/jobs/{id}/results", "application/xml");

        JsonElement problem = await response.ShouldBeProblemAsync(406, "format_unknown");
        problem.GetProperty("expected").GetString().Should().Contain("text/csv");
    }

    [Fact]
    public async Task Csv_has_a_header_and_one_record_a_line()
    {
        Guid id = await api.Client.SubmitAsync("a, \"b\"", "c");
        await api.Client.WaitAsync(id);

        string csv = await api.Client.GetStringAsync($"/jobs/{id}/results?format=csv", Cancellation);

        csv.Should().Contain("\"A, \"\"B\"\"\"");
        csv.TrimEnd().Split('\n').Should().HaveCount(3);
    }

    private async Task<HttpResponseMessage> GetAsync(string address, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (accept is not null)
        {
            request.Headers.Add("Accept", accept);
        }

        return await api.Client.SendAsync(request, Cancellation);
    }

    private static string Header(HttpResponseMessage response, string name) =>
        response.Headers.GetValues(name).Should().ContainSingle().Subject;
}
