using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Seq2Seq.Api.Tests.OpenApi;

public sealed partial class ApiDocumentTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static readonly string[] Pages = ["/dashboard", "/hangfire", "/scalar", "/openapi", "/login", "/logout"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_endpoint_is_described_with_its_problems()
    {
        JsonElement paths = (await api.Client.GetJsonAsync("/openapi/v1.json")).GetProperty("paths");

        foreach (RouteEndpoint endpoint in Endpoints())
        {
            string path = $"/{endpoint.RoutePattern.RawText!.Trim('/').Replace("**", "", StringComparison.Ordinal)}";
            string method = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0];
            JsonElement operation = paths.GetProperty(path).GetProperty(method.ToLowerInvariant());
            operation.GetProperty("summary").GetString().Should().NotBeNullOrWhiteSpace(path);
            operation.GetProperty("operationId").GetString().Should().NotBeNullOrWhiteSpace(path);
            operation.GetProperty("tags").GetArrayLength().Should().Be(1, path);
            JsonElement responses = operation.GetProperty("responses");
            responses.EnumerateObject().Should().Contain(response => response.Name.StartsWith('2'), path);
            if (endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Authorization.IAllowAnonymous>() is null)
            {
                JsonElement content = responses.GetProperty("401").GetProperty("content");
                content
                    .GetProperty("application/problem+json")
                    .GetProperty("examples")
                    .GetProperty("key_missing")
                    .GetProperty("value")
                    .GetProperty("code")
                    .GetString()
                    .Should()
                    .Be("key_missing");
            }

            foreach (Match parameter in ParameterName().Matches(path))
            {
                Parameters(operation).Should().Contain(parameter.Groups["name"].Value, path);
            }
        }
    }

    [Fact]
    public async Task Submitting_is_described_with_every_kind_of_body()
    {
        JsonElement document = await api.Client.GetJsonAsync("/openapi/v1.json");
        JsonElement submit = document.GetProperty("paths").GetProperty("/jobs").GetProperty("post");

        JsonElement content = submit.GetProperty("requestBody").GetProperty("content");
        string[] types = [.. content.EnumerateObject().Select(type => type.Name)];
        types.Should().Contain(["application/json", "multipart/form-data", "text/plain", "application/jsonl"]);
        Parameters(submit).Should().Contain(["model", "format", "Idempotency-Key"]);
        JsonElement example = content.GetProperty("application/json").GetProperty("example");
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json(example.GetRawText().Replace("english-tts", ApiApplication.Model, StringComparison.Ordinal)),
            Cancellation
        );
        response.StatusCode.Should().Be(HttpStatusCode.Accepted, "the example is a valid request");
    }

    [Fact]
    public async Task The_reference_page_and_what_it_loads_come_from_this_host()
    {
        string page = await api.Client.GetStringAsync("/scalar/", Cancellation);

        Regex outside = OutsideAddress();
        outside.Matches(page).Select(match => match.Value).Should().BeEmpty();
        foreach (Match script in ScriptSource().Matches(page))
        {
            Uri address = new(new Uri(api.Application.Address, "/scalar/"), script.Groups["address"].Value);
            address.Host.Should().Be(api.Application.Address.Host);
            (await api.Client.GetAsync(address, Cancellation))
                .StatusCode.Should()
                .Be(HttpStatusCode.OK, address.ToString());
        }

        HttpResponseMessage response = await api.Client.GetAsync("/scalar/", Cancellation);
        response
            .Headers.GetValues("Content-Security-Policy")
            .Single()
            .Should()
            .Contain("default-src 'self'")
            .And.NotContain("http");
    }

    [Fact]
    public async Task Another_version_of_the_document_is_a_problem_like_any_address_that_is_not_there() =>
        await (await api.Client.GetAsync("/openapi/v2.json", Cancellation)).ShouldBeProblemAsync(404, "not_found");

    private IEnumerable<RouteEndpoint> Endpoints() =>
        api
            .Application.Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>() is not null)
            .Where(endpoint =>
                endpoint.RoutePattern.RawText is { } path
                && path.Trim('/').Length > 0
                && !Array.Exists(Pages, page => $"/{path.TrimStart('/')}".StartsWith(page, StringComparison.Ordinal))
            );

    private static IEnumerable<string> Parameters(JsonElement operation) =>
        operation.TryGetProperty("parameters", out JsonElement parameters)
            ? parameters.EnumerateArray().Select(parameter => parameter.GetProperty("name").GetString()!)
            : [];

    [GeneratedRegex(@"\{(?<name>\w+)\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ParameterName();

    [GeneratedRegex(
        @"(?:src|href)=""(?:https?:)?//[^""]+""",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex OutsideAddress();

    [GeneratedRegex(
        @"<script[^>]+src=""(?<address>[^""]+)""",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex ScriptSource();
}
