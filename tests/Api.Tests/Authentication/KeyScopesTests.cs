using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests.Authentication;

/// <summary>What issued keys may do, whose jobs they see, and how much they may submit.</summary>
public sealed class KeyScopesTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private ApiApplication _api = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _api = await ApiApplication.StartAsync(database.ConnectionString, hasWorkers: false);

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task A_key_sees_its_own_jobs_and_the_scope_all_everybodys()
    {
        string mine = await IssueAsync(KeyScopes.Read, KeyScopes.Write);
        string theirs = await IssueAsync(KeyScopes.Read, KeyScopes.Write);
        string auditor = await IssueAsync(KeyScopes.Read, KeyScopes.AllJobs);

        Guid id = await SubmitAsync(mine);

        (await ListAsync(mine)).Should().Equal(id);
        (await ListAsync(theirs)).Should().BeEmpty();
        (await ListAsync(auditor)).Should().Contain(id);
        (await SendAsync(mine, HttpMethod.Get, $"/jobs/{id}")).StatusCode.Should().Be(HttpStatusCode.OK);
        (await SendAsync(auditor, HttpMethod.Get, $"/jobs/{id}")).StatusCode.Should().Be(HttpStatusCode.OK);
        (await PageAsync(theirs, "/dashboard")).Should().NotContain(id.ToString());
        (await PageAsync(theirs, "/dashboard/jobs")).Should().NotContain(id.ToString());
        (await PageAsync(mine, "/dashboard/jobs")).Should().Contain(id.ToString());
    }

    [Fact]
    public async Task Another_keys_job_is_not_there_whatever_the_address()
    {
        Guid id = await SubmitAsync(await IssueAsync(KeyScopes.Read, KeyScopes.Write));
        string other = await IssueAsync(KeyScopes.Read, KeyScopes.Write, KeyScopes.Admin);
        List<string> asked = [];

        foreach ((HttpMethod method, string pattern) in JobAddresses())
        {
            using var request = new HttpRequestMessage(
                method,
                pattern.Replace("{id}", id.ToString(), StringComparison.Ordinal)
            );
            request.Headers.Add("X-Api-Key", other);
            if (method == HttpMethod.Patch)
            {
                request.Content = ApiClient.Json("""{"priority": 1}""");
            }

            HttpResponseMessage response = await _api.Client.SendAsync(request, Cancellation);
            await response.ShouldBeProblemAsync(404, "job_not_found");
            asked.Add($"{method} {pattern}");
        }

        asked.Should().Contain(["GET /jobs/{id}/results", "POST /jobs/{id}/cancel", "GET /dashboard/jobs/{id}"]);
        (await database.ScalarAsync<string>("SELECT state FROM job WHERE id = $1", id)).Should().Be("queued");
    }

    [Theory]
    [InlineData("GET", "/jobs", KeyScopes.Read)]
    [InlineData("GET", "/models", KeyScopes.Read)]
    [InlineData("GET", "/dashboard", KeyScopes.Read)]
    [InlineData("POST", "/jobs?model=capitals", KeyScopes.Write)]
    [InlineData("POST", "/models/capitals/pause", KeyScopes.Admin)]
    [InlineData("POST", "/models/capitals/load", KeyScopes.Admin)]
    [InlineData("GET", "/hangfire", KeyScopes.Admin)]
    public async Task What_a_key_has_no_scope_for_is_403_and_names_it(string method, string address, string needed)
    {
        string without = await IssueAsync([.. KeyScopes.All.Except([needed], StringComparer.Ordinal)]);
        string with = await IssueAsync(needed);

        JsonElement problem = await (await SendAsync(without, new HttpMethod(method), address)).ShouldBeProblemAsync(
            403,
            "scope_missing"
        );

        problem.GetProperty("expected").GetString().Should().Be(needed);
        ((int)(await SendAsync(with, new HttpMethod(method), address)).StatusCode).Should().BeLessThan(300);
    }

    [Fact]
    public async Task Once_a_key_was_issued_callers_need_one_even_when_it_is_revoked()
    {
        IssuedKey issued = await Keys.AddAsync(new ApiKeyRequest { Name = "the last" }, Cancellation);
        await Keys.RevokeAsync(issued.Key.Id, Cancellation);
        await using ApiApplication fresh = await ApiApplication.StartAsync(
            database.ConnectionString,
            hasWorkers: false
        );

        await (await fresh.Client.GetAsync("/jobs", Cancellation)).ShouldBeProblemAsync(401, "key_missing");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/jobs");
        request.Headers.Add("X-Api-Key", issued.Secret);
        await (await fresh.Client.SendAsync(request, Cancellation)).ShouldBeProblemAsync(401, "key_invalid");
    }

    [Fact]
    public async Task With_an_issued_key_the_service_may_listen_elsewhere()
    {
        await IssueAsync(KeyScopes.Read);

        await using ApiApplication open = await ApiApplication.StartAsync(
            database.ConnectionString,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["Urls"] = "http://0.0.0.0:0" },
            hasWorkers: false
        );

        open.Address.Port.Should().BePositive();
    }

    [Fact]
    public async Task A_session_of_an_issued_key_has_its_scopes_and_ends_when_it_is_revoked()
    {
        IssuedKey issued = await Keys.AddAsync(
            new ApiKeyRequest { Name = Guid.NewGuid().ToString(), Scopes = [KeyScopes.Read] },
            Cancellation
        );
        HttpResponseMessage signedIn = await _api.Client.PostAsync(
            "/login",
            new FormUrlEncodedContent(
                new Dictionary<string, string>(StringComparer.Ordinal) { ["key"] = issued.Secret }
            ),
            Cancellation
        );
        string session = signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        (await WithSessionAsync(_api, session, "/dashboard")).StatusCode.Should().Be(HttpStatusCode.OK);
        (await WithSessionAsync(_api, session, "/hangfire")).StatusCode.Should().Be(HttpStatusCode.Forbidden);

        await Keys.RevokeAsync(issued.Key.Id, Cancellation);

        // Another process, which remembers nothing of the key. It shares the cookies' keys with this one.
        await using ApiApplication other = await ApiApplication.StartAsync(
            database.ConnectionString,
            hasWorkers: false
        );
        (await WithSessionAsync(other, session, "/jobs")).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_limit_that_is_reached_is_429_with_the_time_to_wait()
    {
        IssuedKey issued = await Keys.AddAsync(
            new ApiKeyRequest
            {
                Name = Guid.NewGuid().ToString(),
                Limits = new KeyLimits { UnfinishedJobs = 2, SubmitsPerMinute = 3 },
            },
            Cancellation
        );
        await SubmitAsync(issued.Secret);
        Guid second = await SubmitAsync(issued.Secret);

        HttpResponseMessage tooMany = await SendAsync(issued.Secret, HttpMethod.Post, "/jobs?model=capitals");

        await tooMany.ShouldBeProblemAsync(429, "jobs_limit_reached");
        tooMany.Headers.RetryAfter!.Delta.Should().BePositive();

        await SendAsync(issued.Secret, HttpMethod.Post, $"/jobs/{second}/cancel");
        await SubmitAsync(issued.Secret);
        await SendAsync(issued.Secret, HttpMethod.Post, $"/jobs/{second}/cancel");
        await database.ExecuteAsync(
            "UPDATE job SET state = 'cancelled', finished_at = now() WHERE finished_at IS NULL"
        );
        HttpResponseMessage tooOften = await SendAsync(issued.Secret, HttpMethod.Post, "/jobs?model=capitals");
        JsonElement problem = await tooOften.ShouldBeProblemAsync(429, "rate_limit_reached");
        problem.GetProperty("detail").GetString().Should().Contain("3 times a minute");
        tooOften
            .Headers.RetryAfter!.Delta.Should()
            .BeGreaterThan(TimeSpan.Zero)
            .And.BeLessThanOrEqualTo(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Idempotency_keys_are_each_callers_own()
    {
        string one = await IssueAsync(KeyScopes.Read, KeyScopes.Write);
        string other = await IssueAsync(KeyScopes.Read, KeyScopes.Write);

        Guid first = await SubmitAsync(one, idempotencyKey: "same");
        Guid second = await SubmitAsync(other, idempotencyKey: "same");

        second.Should().NotBe(first);
        (await SubmitAsync(one, idempotencyKey: "same")).Should().Be(first);
    }

    private ApiKeyDirectory Keys => _api.Services.GetRequiredService<ApiKeyDirectory>();

    private async Task<string> IssueAsync(params string[] scopes)
    {
        var request = new ApiKeyRequest { Name = Guid.NewGuid().ToString(), Scopes = scopes };
        string secret = (await Keys.AddAsync(request, Cancellation)).Secret;
        // The first key that is ever issued is noticed after a while.
        await Eventually.HoldsAsync(
            async () => (await _api.Client.GetAsync("/jobs", Cancellation)).StatusCode == HttpStatusCode.Unauthorized,
            TimeSpan.FromSeconds(30),
            "the service asks for keys"
        );
        return secret;
    }

    private async Task<Guid> SubmitAsync(string key, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/jobs?model=capitals")
        {
            Content = ApiClient.Text("a\n"),
        };
        request.Headers.Add("X-Api-Key", key);
        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        HttpResponseMessage response = await _api.Client.SendAsync(request, Cancellation);
        response
            .StatusCode.Should()
            .Be(HttpStatusCode.Accepted, await response.Content.ReadAsStringAsync(Cancellation));
        return (await response.ReadAsync()).GetProperty("id").GetGuid();
    }

    private async Task<IEnumerable<Guid>> ListAsync(string key) =>
        (await (await SendAsync(key, HttpMethod.Get, "/jobs?limit=200")).ReadAsync())
            .GetProperty("jobs")
            .EnumerateArray()
            .Select(job => job.GetProperty("id").GetGuid());

    private async Task<string> PageAsync(string key, string address) =>
        await (await SendAsync(key, HttpMethod.Get, address)).Content.ReadAsStringAsync(Cancellation);

    private async Task<HttpResponseMessage> SendAsync(string key, HttpMethod method, string address)
    {
        using var request = new HttpRequestMessage(method, address);
        request.Headers.Add("X-Api-Key", key);
        if (method == HttpMethod.Post)
        {
            request.Content = ApiClient.Text("a\n");
        }

        return await _api.Client.SendAsync(request, Cancellation);
    }

    private static async Task<HttpResponseMessage> WithSessionAsync(ApiApplication api, string session, string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Add("Cookie", session);
        return await api.Client.SendAsync(request, Cancellation);
    }

    private IEnumerable<(HttpMethod Method, string Pattern)> JobAddresses() =>
        _api
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.Contains("jobs/{id}", StringComparison.Ordinal))
            .SelectMany(endpoint =>
                endpoint
                    .Metadata.GetMetadata<HttpMethodMetadata>()!
                    .HttpMethods.Select(method =>
                        (new HttpMethod(method), $"/{endpoint.RoutePattern.RawText!.Trim('/')}")
                    )
            );
}
