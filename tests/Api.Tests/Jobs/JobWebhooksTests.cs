using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests.Jobs;

/// <summary>A webhook from the request to the receiver, and what is refused on the way.</summary>
public sealed class JobWebhooksTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_receiver_is_told_of_the_end_and_can_check_who_says_so()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using ApiApplication api = await StartAsync(("Webhooks:AllowedNetworks:0", "127.0.0.0/8"));

        JsonElement job = await SubmitAsync(api, receiver.Url, Secret);

        job.GetProperty("webhook_url").GetString().Should().Be(receiver.Url);
        job.GetRawText().Should().NotContain(Secret);
        JsonElement delivery = await DeliveryAsync(
            api,
            job,
            delivery => delivery.GetProperty("status").ValueKind != JsonValueKind.Null
        );
        ReceivedWebhook received = receiver.Received.Single();
        delivery.GetProperty("type").GetString().Should().Be("job.completed");
        delivery.GetProperty("status").GetInt32().Should().Be(204);
        delivery.GetProperty("attempts").GetInt32().Should().Be(1);
        delivery.GetProperty("delivered_at").ValueKind.Should().Be(JsonValueKind.String);
        delivery.GetProperty("id").GetString().Should().Be(received.Headers["webhook-id"]);
        received.Headers["webhook-signature"].Should().Be(Sign(received));
        JsonDocument
            .Parse(received.Body)
            .RootElement.GetProperty("data")
            .GetProperty("id")
            .GetGuid()
            .Should()
            .Be(job.GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task A_name_that_leads_inside_is_never_connected_to_and_the_log_says_so()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using ApiApplication api = await StartAsync();

        JsonElement job = await SubmitAsync(api, $"https://localhost:{new Uri(receiver.Url).Port}/hook", Secret);

        JsonElement delivery = await DeliveryAsync(
            api,
            job,
            delivery => delivery.GetProperty("error").ValueKind != JsonValueKind.Null
        );
        delivery.GetProperty("error").GetString().Should().Contain("no address that webhooks may reach");
        delivery.GetProperty("status").ValueKind.Should().Be(JsonValueKind.Null);
        delivery.GetProperty("due_at").ValueKind.Should().Be(JsonValueKind.String, "it is tried again: names move");
        receiver.Received.Should().BeEmpty();
    }

    [Theory]
    [InlineData("""{"url": "https://10.0.0.1/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}""", "webhook.url")]
    [InlineData(
        """{"url": "https://169.254.169.254/latest", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}""",
        "webhook.url"
    )]
    [InlineData("""{"url": "https://[::1]/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}""", "webhook.url")]
    [InlineData(
        """{"url": "http://example.org/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}""",
        "webhook.url"
    )]
    [InlineData("""{"url": "https://example.org/"}""", "webhook.secret")]
    [InlineData("""{"url": "https://example.org/", "secret": "short"}""", "webhook.secret")]
    [InlineData("""{"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}""", "webhook.url")]
    [InlineData("""{"url": "https://example.org/", "method": "GET"}""", "webhook.method")]
    [InlineData("\"https://example.org/\"", "webhook")]
    public async Task A_webhook_that_can_not_work_is_refused_by_field(string webhook, string field)
    {
        await using ApiApplication api = await StartAsync();

        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json($$"""{"model": "capitals", "inputs": ["a"], "webhook": {{webhook}}}"""),
            Cancellation
        );

        ((int)response.StatusCode).Should().Be(400);
        (await response.ReadAsync()).GetProperty("field").GetString().Should().Be(field);
        (await database.ScalarAsync<long>("SELECT count(*) FROM job WHERE webhook_url LIKE '%example%'"))
            .Should()
            .Be(0);
    }

    private static string Sign(ReceivedWebhook received)
    {
        string signed = $"{received.Headers["webhook-id"]}.{received.Headers["webhook-timestamp"]}.{received.Body}";
        byte[] key = Convert.FromBase64String(Secret["whsec_".Length..]);
        return $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signed)))}";
    }

    private static async Task<JsonElement> SubmitAsync(ApiApplication api, string url, string secret)
    {
        string webhook = JsonSerializer.Serialize(new { url, secret });
        HttpResponseMessage response = await api.Client.PostAsync(
            $"/jobs?model=capitals&webhook={Uri.EscapeDataString(webhook)}",
            ApiClient.Text("a\n"),
            Cancellation
        );
        response.EnsureSuccessStatusCode();
        return await response.ReadAsync();
    }

    private static async Task<JsonElement> DeliveryAsync(
        ApiApplication api,
        JsonElement job,
        Func<JsonElement, bool> condition
    )
    {
        string log = job.GetProperty("links").GetProperty("webhooks").GetString()!;
        JsonElement delivery = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                delivery = (await api.Client.GetJsonAsync(log))
                    .GetProperty("webhooks")
                    .EnumerateArray()
                    .FirstOrDefault();
                return delivery.ValueKind == JsonValueKind.Object && condition(delivery);
            },
            TimeSpan.FromSeconds(30),
            "the message was tried"
        );
        return delivery;
    }

    private Task<ApiApplication> StartAsync(params (string Name, string? Value)[] settings) =>
        ApiApplication.StartAsync(
            database.ConnectionString,
            settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value))
        );
}
