using System.Net;
using System.Text.Json;
using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests.Health;

public sealed class HealthEndpointsTests(PostgresServer server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_is_ready_when_its_models_are()
    {
        string database = await server.CreateDatabaseAsync(Cancellation);
        await using ApiApplication api = await ApiApplication.StartAsync(database);

        JsonElement readiness = await WaitUntilAsync(api, "ready");

        readiness.GetProperty("database").GetString().Should().Be("reachable");
        readiness.GetProperty("models")[0].GetProperty("name").GetString().Should().Be("capitals");
        readiness.GetProperty("slots")[0].GetProperty("state").GetString().Should().Be("ready");
    }

    [Fact]
    public async Task With_a_model_that_cant_load_the_rest_serve_and_the_reason_is_said()
    {
        string database = await server.CreateDatabaseAsync(Cancellation);
        await using ApiApplication api = await ApiApplication.StartAsync(
            database,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["Models:broken:Folder"] = "broken" }
        );

        JsonElement readiness = await WaitUntilAsync(api, "degraded");

        readiness.GetRawText().Should().Contain("encoder.final_layer_norm.weight");
        Guid job = await api.Client.SubmitAsync("a");
        (await api.Client.WaitAsync(job)).GetProperty("state").GetString().Should().Be("completed");
    }

    [Fact]
    public async Task With_no_model_that_can_load_the_service_is_not_ready()
    {
        string database = await server.CreateDatabaseAsync(Cancellation);
        await using ApiApplication api = await ApiApplication.StartAsync(
            database,
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Models:broken:Folder"] = "broken",
                ["Slots:0:Models:0"] = "broken",
            }
        );
        await Eventually.HoldsAsync(
            async () =>
                (await api.Client.GetStringAsync("/models", Cancellation)).Contains(
                    "tensor_missing",
                    StringComparison.Ordinal
                ),
            Patience,
            "the load has failed"
        );

        HttpResponseMessage response = await api.Client.GetAsync("/readyz", Cancellation);

        response.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        (await response.ReadAsync()).GetProperty("status").GetString().Should().Be("unready");
    }

    [Fact]
    public async Task An_api_without_workers_takes_jobs_and_says_that_nobody_runs_them()
    {
        string database = await server.CreateDatabaseAsync(Cancellation);
        await using ApiApplication api = await ApiApplication.StartAsync(database, hasWorkers: false);

        HttpResponseMessage response = await api.Client.GetAsync("/readyz", Cancellation);

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        (await response.ReadAsync()).GetProperty("status").GetString().Should().Be("degraded");
        Guid job = await api.Client.SubmitAsync("a");
        (await api.Client.GetJsonAsync($"/jobs/{job}")).GetProperty("state").GetString().Should().Be("queued");
    }

    [Fact]
    public async Task Without_its_database_the_service_lives_but_is_not_ready()
    {
        string database = await server.CreateDatabaseAsync(Cancellation);
        await using ApiApplication api = await ApiApplication.StartAsync(database, hasWorkers: false);
        await server.DropDatabaseAsync(database, Cancellation);

        HttpResponseMessage ready = await api.Client.GetAsync("/readyz", Cancellation);

        ready.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        JsonElement readiness = await ready.ReadAsync();
        readiness.GetProperty("status").GetString().Should().Be("unready");
        readiness.GetProperty("database").GetString().Should().Be("unreachable");
        (await api.Client.GetAsync("/livez", Cancellation)).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    private static async Task<JsonElement> WaitUntilAsync(ApiApplication api, string status)
    {
        JsonElement readiness = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                readiness = await (await api.Client.GetAsync("/readyz", Cancellation)).ReadAsync();
                return readiness.GetProperty("status").GetString() == status;
            },
            Patience,
            $"the service is {status}"
        );
        return readiness;
    }
}
