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
        page.Should().NotContain("Cancel job");
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
    public async Task A_running_job_can_be_cancelled()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);
        string page = await api.Client.GetStringAsync($"/dashboard/jobs/{id}", Cancellation);
        page.Should().Contain($"action=\"/dashboard/jobs/{id}/cancel\"");

        HttpResponseMessage response = await api.Client.PostAsync(
            $"/dashboard/jobs/{id}/cancel",
            content: null,
            Cancellation
        );

        response.StatusCode.Should().Be(HttpStatusCode.Redirect);
        response.Headers.Location!.ToString().Should().Be($"/dashboard/jobs/{id}");
        (await api.Client.GetStringAsync($"/dashboard/jobs/{id}", Cancellation)).Should().Contain("badge-cancelled");
        api.Application.CapitalsModel.Release(held);
    }

    [Theory]
    [InlineData("/dashboard/jobs/1")]
    [InlineData("/dashboard/jobs/00000000-0000-0000-0000-000000000000")]
    [InlineData("/dashboard/models/nope")]
    [InlineData("/dashboard/assets/000000000000/dashboard.css")]
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
        @"(?:src|href)=""(?<address>/dashboard/assets/[^""]+)""",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Asset();
}
