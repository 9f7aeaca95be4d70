using System.Net;
using System.Text.RegularExpressions;

namespace Seq2Seq.Api.Tests.Dashboard;

public sealed partial class DashboardTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/dashboard", "Overview")]
    [InlineData("/dashboard/jobs", "Jobs")]
    [InlineData("/dashboard/models", "Models")]
    [InlineData("/dashboard/models/capitals", "capitals")]
    [InlineData("/dashboard/devices", "Devices")]
    [InlineData("/dashboard/keys", "API keys")]
    public async Task Every_page_is_a_whole_document_without_outside_assets(string address, string heading)
    {
        await api.Client.SubmitAsync("a");

        HttpResponseMessage response = await api.Client.GetAsync(address, Cancellation);
        string page = await response.Content.ReadAsStringAsync(Cancellation);

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.Should().Be("text/html");
        page.Should().StartWith("<!DOCTYPE html>").And.EndWith("</html>").And.Contain($"<h1>{heading}</h1>");
        page.Should().NotContain("http://").And.NotContain("https://");
        page.Should().NotContain("style=").And.NotContain("onclick");
        foreach (Match asset in Asset().Matches(page))
        {
            HttpResponseMessage answer = await api.Client.GetAsync(asset.Groups["address"].Value, Cancellation);
            answer.StatusCode.Should().Be(HttpStatusCode.OK);
            answer.Headers.CacheControl!.ToString().Should().Contain("immutable");
        }

        response
            .Headers.GetValues("Content-Security-Policy")
            .Single()
            .Should()
            .Contain("default-src 'none'")
            .And.NotContain("unsafe");
    }

    [Fact]
    public async Task A_job_shows_its_progress_results_shards_and_loads()
    {
        Guid id = await api.Client.SubmitAsync("first line", "");
        await api.Client.WaitAsync(id);

        string page = await api.Client.GetStringAsync($"/dashboard/jobs/{id}", Cancellation);

        page.Should().Contain("FIRST LINE").And.Contain("line_empty");
        page.Should().Contain("badge-completed").And.Contain("badge-done");
        page.Should().Contain("config-first").And.Contain("weights_missing");
        page.Should().Contain($"/jobs/{id}/results?format=csv");
        page.Should().NotContain("Cancel job").And.Contain("Retry failed lines");
    }

    [Fact]
    public async Task Customers_text_is_shown_as_text()
    {
        HttpResponseMessage submitted = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json(
                System.Text.Json.JsonSerializer.Serialize(
                    new
                    {
                        model = "capitals",
                        name = Hostile,
                        inputs = new[] { new { custom_id = Hostile, text = Hostile } },
                    }
                )
            ),
            Cancellation
        );
        Guid id = (await submitted.ReadAsync()).GetProperty("id").GetGuid();
        await api.Client.WaitAsync(id);

        foreach (
            string address in new[]
            {
                "/dashboard",
                $"/dashboard/jobs?search={Uri.EscapeDataString(Hostile)}",
                $"/dashboard/jobs/{id}",
                $"/dashboard/jobs/{Uri.EscapeDataString(Hostile)}",
                $"/dashboard/models/{Uri.EscapeDataString(Hostile)}",
                $"/login?return={Uri.EscapeDataString("/" + Hostile)}",
                "/hangfire/jobs/succeeded",
            }
        )
        {
            HttpResponseMessage response = await api.Client.GetAsync(address, Cancellation);
            string page = await response.Content.ReadAsStringAsync(Cancellation);
            page.Should().NotContain("<script>alert").And.NotContain("<img src=x", address);
            page.Should().NotContain("<SCRIPT>ALERT").And.NotContain("<IMG SRC=X", address);
        }

        (await api.Client.GetStringAsync($"/dashboard/jobs/{id}", Cancellation))
            .Should()
            .Contain("&lt;script&gt;alert(1)");
    }

    [Fact]
    public async Task The_list_is_filtered_and_searched()
    {
        await api.Client.PostAsync("/jobs?model=capitals&name=apple", ApiClient.Text("a"), Cancellation);
        await api.Client.PostAsync("/jobs?model=capitals&name=pear", ApiClient.Text("a"), Cancellation);

        string page = await api.Client.GetStringAsync("/dashboard/jobs?search=app", Cancellation);
        page.Should().Contain(">apple<").And.NotContain(">pear<");
        page.Should().Contain("value=\"app\"");
        string none = await api.Client.GetStringAsync("/dashboard/jobs?state=failed", Cancellation);
        none.Should().Contain("No job fits.").And.MatchRegex("<option value=\"failed\" selected");
        (await api.Client.GetAsync("/dashboard/jobs?state=nonsense&after=nonsense", Cancellation))
            .StatusCode.Should()
            .Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_job_can_be_paused_resumed_moved_cancelled_and_retried()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);
        string address = $"/dashboard/jobs/{id}";

        (await ActAsync(address, "pause")).Should().Contain("badge-paused").And.NotContain($"{address}/pause");
        (await ActAsync(address, "priority", ("priority", "2"))).Should().Contain("<option value=\"2\" selected");
        (await ActAsync(address, "resume")).Should().Contain($"{address}/pause");
        (await ActAsync(address, "cancel")).Should().Contain("badge-cancelled").And.NotContain($"{address}/cancel");
        api.Application.CapitalsModel.Release(held);
        (await ActAsync(address, "retry")).Should().Contain("<dt>Run</dt><dd>2</dd>");
        (await api.Client.WaitAsync(id)).GetProperty("state").GetString().Should().Be("completed");
        (await api.Client.GetStringAsync(address, Cancellation)).Should().NotContain($"{address}/retry");
    }

    [Fact]
    public async Task A_paused_job_shows_neither_a_rate_nor_a_time_that_is_left()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync([.. Enumerable.Range(0, 20).Select(line => $"line {line}"), held]);
        string address = $"/dashboard/jobs/{id}";
        await Seq2Seq.Testing.Eventually.HoldsAsync(
            async () =>
                (await api.Client.GetStringAsync(address, Cancellation)).Contains(
                    "<dt>Left</dt>",
                    StringComparison.Ordinal
                ),
            TimeSpan.FromSeconds(10),
            "the job has done lines"
        );

        string page = await ActAsync(address, "pause");

        page.Should().Contain("<dt>Rate</dt><dd>&#x2013;</dd>").And.NotContain("<dt>Left</dt>");
        api.Application.CapitalsModel.Release(held);
    }

    [Fact]
    public async Task A_models_queue_can_be_paused_and_resumed()
    {
        (await ActAsync("/dashboard/models/capitals", "pause")).Should().Contain("badge-paused");
        (await api.Client.GetStringAsync("/dashboard", Cancellation)).Should().Contain("its queue is paused");
        (await ActAsync("/dashboard/models/capitals", "resume")).Should().NotContain("badge-paused");
    }

    [Theory]
    [InlineData("jobs", "cancel")]
    [InlineData("jobs", "retry")]
    [InlineData("models", "pause")]
    public async Task A_form_that_is_not_of_these_pages_changes_nothing(string kind, string action)
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);
        string address = kind == "jobs" ? $"/dashboard/jobs/{id}/{action}" : $"/dashboard/models/capitals/{action}";
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("__RequestVerificationToken", "made up")]);

        HttpResponseMessage response = await api.Client.PostAsync(address, form, Cancellation);

        await response.ShouldBeProblemAsync(403, "form_invalid");
        (await api.Client.GetJsonAsync($"/jobs/{id}"))
            .GetProperty("finished_at")
            .ValueKind.Should()
            .Be(System.Text.Json.JsonValueKind.Null);
        (await api.Client.GetJsonAsync("/models/capitals")).GetProperty("paused").GetBoolean().Should().BeFalse();
        api.Application.CapitalsModel.Release(held);
    }

    [Fact]
    public async Task What_a_jobs_state_does_not_allow_is_explained_on_a_page()
    {
        Guid id = await api.Client.SubmitAsync("a");
        await api.Client.WaitAsync(id);

        (await ActAsync("/dashboard", $"jobs/{id}/pause", form: $"/dashboard/models/capitals"))
            .Should()
            .Contain("The job&#x27;s state does not allow that")
            .And.Contain("The job is completed; only one that waits or runs can be paused.");
    }

    // Fills in the form of a page as a browser does: with its token, and the cookie that goes with it.
    private async Task<string> ActAsync(string page, string action, params (string Name, string Value)[] fields) =>
        await ActAsync(page, action, page, fields);

    private async Task<string> ActAsync(
        string page,
        string action,
        string form,
        params (string Name, string Value)[] fields
    )
    {
        HttpResponseMessage shown = await api.Client.GetAsync(form, Cancellation);
        string token = Token().Match(await shown.Content.ReadAsStringAsync(Cancellation)).Groups["token"].Value;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{page}/{action}")
        {
            Content = new FormUrlEncodedContent([
                KeyValuePair.Create("__RequestVerificationToken", WebUtility.HtmlDecode(token)),
                .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value)),
            ]),
        };
        request.Headers.Add("Cookie", shown.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        request.Headers.Add("Accept", "text/html");
        HttpResponseMessage response = await api.Client.SendAsync(request, Cancellation);
        return response.StatusCode == HttpStatusCode.Redirect
            ? await api.Client.GetStringAsync(response.Headers.Location, Cancellation)
            : await response.Content.ReadAsStringAsync(Cancellation);
    }

    [Theory]
    [InlineData("/dashboard/jobs/1")]
    [InlineData("/dashboard/jobs/00000000-0000-0000-0000-000000000000")]
    [InlineData("/dashboard/models/nope")]
    [InlineData("/dashboard/assets/000000000000/dashboard.css")]
    [InlineData("/hangfire/jobs/details/nonsense")]
    [InlineData("/hangfire/jobs/details/99999999999999999999")]
    public async Task What_is_not_there_is_404(string address)
    {
        HttpResponseMessage response = await api.Client.GetAsync(address, Cancellation);

        response.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Hangfires_dashboard_is_there_with_readable_names()
    {
        Guid id = await api.Client.SubmitAsync("a");
        await api.Client.WaitAsync(id);

        HttpResponseMessage page = await api.Client.GetAsync("/hangfire", Cancellation);
        (await page.Content.ReadAsStringAsync(Cancellation)).Should().Contain("Seq2Seq Jobs");
        page.Headers.GetValues("Content-Security-Policy").Single().Should().StartWith("default-src 'self';");
        await Seq2Seq.Testing.Eventually.HoldsAsync(
            async () =>
                (await api.Client.GetStringAsync("/hangfire/jobs/succeeded", Cancellation)).Contains(
                    "capitals",
                    StringComparison.Ordinal
                ),
            TimeSpan.FromSeconds(10),
            "the shard's name is listed"
        );
    }

    [Fact]
    public async Task The_root_leads_to_the_overview()
    {
        HttpResponseMessage response = await api.Client.GetAsync("/", Cancellation);

        response.StatusCode.Should().Be(HttpStatusCode.Redirect);
        response.Headers.Location!.ToString().Should().Be("/dashboard");
    }

    [GeneratedRegex(
        @"name=""__RequestVerificationToken"" value=""(?<token>[^""]+)""",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Token();

    [GeneratedRegex(
        @"(?:src|href)=""(?<address>/dashboard/assets/[^""]+)""",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Asset();
}
