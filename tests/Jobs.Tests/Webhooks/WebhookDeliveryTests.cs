using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Webhooks.Tests;

public sealed class WebhookDeliveryTests(JobStore store) : IClassFixture<JobStore>
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_has_ended_is_told_once_signed_with_its_state_and_counts()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var job = await SubmitAsync(receiver.Url);
        await DeliverAsync();
        receiver.Received.Should().BeEmpty("the job has not ended");

        await store.FinishAllAsync(job.Id, fails: line => line == 1);
        await DeliverAsync();
        await DeliverAsync();

        var received = receiver.Received.Should().ContainSingle().Subject;
        var status = (await store.Directory.ListWebhooksAsync(job.Id, Cancellation)).Single();
        string id = $"msg_{status.Id:N}";
        received.Headers["content-type"].Should().StartWith("application/json");
        received.Headers["webhook-id"].Should().Be(id);
        var timestamp = DateTimeOffset.FromUnixTimeSeconds(
            long.Parse(received.Headers["webhook-timestamp"], CultureInfo.InvariantCulture)
        );
        timestamp.Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        received.Headers["webhook-signature"].Should().Be(WebhookSignature.Sign(Secret, id, timestamp, received.Body));
        using var body = JsonDocument.Parse(received.Body);
        body.RootElement.GetProperty("type").GetString().Should().Be("job.completed");
        var data = body.RootElement.GetProperty("data");
        data.GetProperty("id").GetGuid().Should().Be(job.Id);
        data.GetProperty("lines_done").GetInt64().Should().Be(3);
        data.GetProperty("lines_failed").GetInt64().Should().Be(1);
        data.GetProperty("finished_at").GetDateTimeOffset().Should().BeCloseTo(timestamp, TimeSpan.FromMinutes(1));
        status
            .Should()
            .BeEquivalentTo(
                new
                {
                    Type = "job.completed",
                    Attempts = 1,
                    Status = 204,
                    DueAt = (DateTimeOffset?)null,
                }
            );
        status.DeliveredAt.Should().NotBeNull();
    }

    [Fact]
    public async Task Every_end_and_every_run_is_told_and_a_job_that_did_not_ask_never()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var cancelled = await SubmitAsync(receiver.Url);
        var failed = await SubmitAsync(receiver.Url);
        var twice = await SubmitAsync(receiver.Url);
        var silent = await store.SubmitAsync(3);

        await store.Directory.CancelAsync(cancelled.Id, Cancellation);
        await store.Directory.CancelAsync(cancelled.Id, Cancellation);
        await new JobFailure(store.Database.DataSource).FailAsync(failed.Id, "code", "message", Cancellation);
        await store.FinishAllAsync(twice.Id, fails: _ => true);
        await store.Directory.RetryAsync(twice.Id, Cancellation);
        await store.Directory.CancelAsync(twice.Id, Cancellation);
        await store.FinishAllAsync(silent.Id);
        await DeliverAsync();

        (await TypesAsync(cancelled)).Should().Equal("job.cancelled");
        (await TypesAsync(failed)).Should().Equal("job.failed");
        (await TypesAsync(twice)).Should().Equal("job.completed", "job.cancelled");
        (await TypesAsync(silent)).Should().BeEmpty();
        receiver.Received.Should().HaveCount(4);
    }

    [Fact]
    public async Task A_message_that_is_not_taken_is_put_off_and_then_sent_with_the_same_id_and_body()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        };
        var job = await EndedAsync(receiver.Url);
        await DeliverAsync();

        var putOff = await StatusAsync(job);
        putOff
            .Should()
            .BeEquivalentTo(
                new
                {
                    Attempts = 1,
                    Status = 503,
                    DeliveredAt = (DateTimeOffset?)null,
                }
            );
        putOff.Error.Should().Contain("503");
        putOff.DueAt.Should().BeCloseTo(DateTimeOffset.UtcNow.AddSeconds(5), TimeSpan.FromSeconds(4));
        await DeliverAsync();
        receiver.Received.Should().ContainSingle("the next attempt is not due");

        receiver.Answer = null;
        await MakeDueAsync(job);
        await DeliverAsync();

        (await StatusAsync(job))
            .Should()
            .BeEquivalentTo(
                new
                {
                    Attempts = 2,
                    Status = 204,
                    Error = (string?)null,
                }
            );
        receiver
            .Received.Select(received => (received.Headers["webhook-id"], received.Body))
            .Distinct()
            .Should()
            .ContainSingle();
    }

    [Fact]
    public async Task Delivery_looks_again_when_the_next_attempt_is_due()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        };
        await EndedAsync(receiver.Url);
        await DeliverAsync();

        var pause = await store.Webhooks.PauseAsync(Cancellation);

        pause.Should().BePositive().And.BeLessThan(TimeSpan.FromSeconds(6), "the second attempt is due by then");
    }

    [Fact]
    public async Task A_receiver_says_when_it_wants_the_message_again()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = "600";
            return Task.CompletedTask;
        };
        var job = await EndedAsync(receiver.Url);

        await DeliverAsync();

        (await StatusAsync(job))
            .DueAt.Should()
            .BeCloseTo(DateTimeOffset.UtcNow.AddMinutes(10), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_gets_no_more()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status410Gone;
            return Task.CompletedTask;
        };
        var job = await EndedAsync(receiver.Url);

        await DeliverAsync();

        (await StatusAsync(job))
            .Should()
            .BeEquivalentTo(
                new
                {
                    Status = 410,
                    DueAt = (DateTimeOffset?)null,
                    DeliveredAt = (DateTimeOffset?)null,
                }
            );
    }

    [Fact]
    public async Task After_a_day_of_attempts_a_message_is_given_up()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return Task.CompletedTask;
        };
        var job = await EndedAsync(receiver.Url);
        var waited = TimeSpan.Zero;
        while ((await StatusAsync(job)).DueAt is not null)
        {
            await MakeDueAsync(job);
            await DeliverAsync();
            waited += (await StatusAsync(job)).DueAt - DateTimeOffset.UtcNow ?? TimeSpan.Zero;
        }

        (await StatusAsync(job)).Attempts.Should().Be(9);
        waited.Should().BeGreaterThan(TimeSpan.FromDays(1)).And.BeLessThan(TimeSpan.FromDays(1.5));
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        };
        var job = await EndedAsync(receiver.Url);

        await DeliverAsync();

        receiver.Received.Should().ContainSingle().Which.Path.Should().Be("/hook");
        (await StatusAsync(job)).Status.Should().Be(302);
    }

    [Fact]
    public async Task A_message_whose_sender_died_is_sent_by_another()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var job = await EndedAsync(receiver.Url);
        await store.Database.ExecuteAsync(
            "UPDATE webhook_delivery SET attempts = 1, due_at = now() + interval '2 minutes' WHERE job_id = $1",
            job.Id
        );
        await DeliverAsync();
        receiver.Received.Should().BeEmpty("the sender may be alive");

        await MakeDueAsync(job);
        await DeliverAsync();

        (await StatusAsync(job)).Should().BeEquivalentTo(new { Attempts = 2, Status = 204 });
    }

    [Fact]
    public async Task Senders_that_run_at_once_send_each_message_once()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        for (int i = 0; i < 50; i++)
        {
            await EndedAsync(receiver.Url);
        }

        using var sender = Sender();
        WebhookDelivery[] deliveries = [.. Enumerable.Range(0, 4).Select(_ => Delivery(sender))];
        await Task.WhenAll(deliveries.Select(DeliverAsync));
        foreach (var delivery in deliveries)
        {
            delivery.Dispose();
        }

        receiver.Received.Should().HaveCount(50);
        receiver.Received.Select(received => received.Headers["webhook-id"]).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task While_secrets_change_messages_are_signed_with_the_new_and_the_old_ones()
    {
        const string old = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        await using var receiver = await WebhookReceiver.StartAsync();
        var options = Options.Create(
            new WebhooksOptions
            {
                Secret = Secret,
                PreviousSecrets = { old },
                AllowedNetworks = { "127.0.0.0/8" },
            }
        );
        using var sender = new WebhookSender(new WebhookConnections(options), options, TimeProvider.System);

        await sender.SendAsync(new WebhookMessage(Guid.NewGuid(), receiver.Url, null, "{}", 1), Cancellation);

        var headers = receiver.Received.Single().Headers;
        var timestamp = DateTimeOffset.FromUnixTimeSeconds(
            long.Parse(headers["webhook-timestamp"], CultureInfo.InvariantCulture)
        );
        headers["webhook-signature"]
            .Split(' ')
            .Should()
            .Equal(
                WebhookSignature.Sign(Secret, headers["webhook-id"], timestamp, "{}"),
                WebhookSignature.Sign(old, headers["webhook-id"], timestamp, "{}")
            );
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/")]
    [InlineData("http://localhost:{0}/")]
    [InlineData("https://localhost:{0}/")]
    [InlineData("https://[::1]:{0}/")]
    public async Task An_address_inside_is_never_connected_to(string url)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        int port = new Uri(receiver.Url).Port;
        var closed = Options.Create(new WebhooksOptions { Secret = Secret });
        using var sender = new WebhookSender(new WebhookConnections(closed), closed, TimeProvider.System);
        string address = string.Format(CultureInfo.InvariantCulture, url, port);

        var answer = await sender.SendAsync(new WebhookMessage(Guid.NewGuid(), address, null, "{}", 1), Cancellation);

        answer.Status.Should().BeNull();
        answer.Error.Should().Contain("no address that webhooks may reach");
        receiver.Received.Should().BeEmpty();
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_is_given_its_time_and_no_more()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        var impatient = Options.Create(
            new WebhooksOptions
            {
                Secret = Secret,
                AllowedNetworks = { "127.0.0.0/8" },
                Timeout = TimeSpan.FromMilliseconds(300),
            }
        );
        using var sender = new WebhookSender(new WebhookConnections(impatient), impatient, TimeProvider.System);

        var answer = await sender.SendAsync(
            new WebhookMessage(Guid.NewGuid(), receiver.Url, null, "{}", 1),
            Cancellation
        );

        answer.Error.Should().Contain("no answer");
    }

    [Fact]
    public async Task The_service_sends_as_soon_as_a_job_has_ended()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var arrived = new TaskCompletionSource();
        receiver.Answer = _ =>
        {
            arrived.TrySetResult();
            return Task.CompletedTask;
        };
        using var sender = Sender();
        using var service = Delivery(sender);
        await service.StartAsync(Cancellation);

        await EndedAsync(receiver.Url);

        // Without a notification it looks again after 15 seconds.
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
        await service.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_holds_up_nobody_elses_messages()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var silent = new SilentReceiver();
        for (int i = 0; i < WebhookDelivery.Places; i++)
        {
            await EndedAsync(silent.Url(host: 2));
        }

        await ShouldDeliverBesideAsync(silent, WebhookDelivery.PlacesPerHost, await EndedAsync(receiver.Url));
    }

    [Fact]
    public async Task A_key_with_many_receivers_that_do_not_answer_holds_up_no_other_keys_messages()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var silent = new SilentReceiver();
        var key = (await store.Keys.AddAsync(new ApiKeyRequest { Name = "many" }, Cancellation)).Key;
        for (int i = 0; i < 2 * WebhookDelivery.PlacesPerKey; i++)
        {
            await EndedAsync(silent.Url(host: 2 + (i % 8)), apiKeyId: key.Id);
        }

        await ShouldDeliverBesideAsync(silent, WebhookDelivery.PlacesPerKey, await EndedAsync(receiver.Url));
    }

    [Fact]
    public async Task A_place_is_free_when_its_own_attempt_has_ended_though_others_go_on()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var stuck = new TaskCompletionSource();
        receiver.Answer = context => context.Request.Path == "/stuck" ? stuck.Task : Task.CompletedTask;
        await EndedAsync(new Uri(new Uri(receiver.Url), "/stuck").AbsoluteUri);
        List<Job> quick = [];
        for (int i = 0; i < WebhookDelivery.Places; i++)
        {
            quick.Add(await EndedAsync(receiver.Url));
        }

        using var sender = Sender();
        using var service = Delivery(sender);
        await service.StartAsync(Cancellation);

        foreach (var job in quick)
        {
            await Eventually.HoldsAsync(
                async () => (await StatusAsync(job)).DeliveredAt is not null,
                TimeSpan.FromSeconds(10),
                "the message has arrived while the first is waited for"
            );
        }

        stuck.SetResult();
        await service.StopAsync(Cancellation);
    }

    public static TheoryData<string, string?, string> WrongTargets =>
        new()
        {
            { "https://example.org/", null, "webhook.secret" },
            { "https://example.org/", "secret", "webhook.secret" },
            { "example.org", Secret, "webhook.url" },
            { "ftp://example.org/", Secret, "webhook.url" },
            { "https://user@example.org/", Secret, "webhook.url" },
            { "https://example.org/#here", Secret, "webhook.url" },
            { "https://10.0.0.1/", Secret, "webhook.url" },
            { "https://[::ffff:10.0.0.1]/", Secret, "webhook.url" },
            { "http://1.1.1.1/", Secret, "webhook.url" },
            { $"https://example.org/{new string('x', 2000)}", Secret, "webhook.url" },
        };

    [Theory]
    [MemberData(nameof(WrongTargets))]
    public async Task A_webhook_that_can_not_work_is_refused_when_it_is_submitted(
        string url,
        string? secret,
        string field
    )
    {
        var submit = () => SubmitAsync(url, secret);

        var error = (await submit.Should().ThrowAsync<SubmissionException>()).Which;
        error.Code.Should().Be(SubmissionCodes.FieldInvalid);
        error.Field.Should().Be(field);
    }

    private async Task<Job> SubmitAsync(string url, string? secret = Secret, Guid? apiKeyId = null)
    {
        var request = new JobRequest
        {
            Model = JobStore.Model,
            Webhook = new WebhookTarget(url, secret),
            ApiKeyId = apiKeyId,
        };
        return (await store.Submitter.SubmitAsync(request, JobStore.Lines("a", "b", "c"), Cancellation)).Job;
    }

    private async Task<Job> EndedAsync(string url, Guid? apiKeyId = null)
    {
        var job = await SubmitAsync(url, apiKeyId: apiKeyId);
        await store.FinishAllAsync(job.Id);
        return job;
    }

    private static WebhookSender Sender()
    {
        var options = Options.Create(new WebhooksOptions { AllowedNetworks = { "127.0.0.0/8" } });
        return new WebhookSender(new WebhookConnections(options), options, TimeProvider.System);
    }

    private WebhookDelivery Delivery(WebhookSender sender) =>
        new(
            store.Database.DataSource,
            store.Listener,
            sender,
            TimeProvider.System,
            NullLogger<WebhookDelivery>.Instance
        );

    private Task DeliverAsync() => DeliverAsync(store.Webhooks);

    private static async Task DeliverAsync(WebhookDelivery delivery)
    {
        while (await delivery.BeginDueAsync(Cancellation) is { Count: > 0 } begun)
        {
            await Task.WhenAll(begun);
        }
    }

    /// <summary>A job's message arrives while so many attempts at a receiver that does not answer are under way.</summary>
    private async Task ShouldDeliverBesideAsync(SilentReceiver silent, int begun, Job job)
    {
        using var sender = Sender();
        using var service = Delivery(sender);

        await service.StartAsync(Cancellation);

        await Eventually.HoldsAsync(
            async () => (await StatusAsync(job)).DeliveredAt is not null,
            TimeSpan.FromSeconds(10),
            "the other's message has arrived while the silent one's are waited for"
        );
        (await CountBegunAsync(silent)).Should().Be(begun);
        await service.StopAsync(Cancellation);
        await ForgetAsync(silent);
    }

    private Task<long> CountBegunAsync(SilentReceiver silent) =>
        store.Database.ScalarAsync<long>(
            "SELECT count(*) FROM webhook_delivery JOIN job ON job.id = job_id WHERE attempts > 0 AND webhook_url LIKE $1",
            silent.UrlPattern
        );

    private Task<int> ForgetAsync(SilentReceiver silent) =>
        store.Database.ExecuteAsync("DELETE FROM job WHERE webhook_url LIKE $1", silent.UrlPattern);

    private Task<int> MakeDueAsync(Job job) =>
        store.Database.ExecuteAsync("UPDATE webhook_delivery SET due_at = now() WHERE job_id = $1", job.Id);

    private async Task<WebhookStatus> StatusAsync(Job job) =>
        (await store.Directory.ListWebhooksAsync(job.Id, Cancellation)).Single();

    private async Task<IEnumerable<string>> TypesAsync(Job job) =>
        (await store.Directory.ListWebhooksAsync(job.Id, Cancellation)).Select(webhook => webhook.Type);

    /// <summary>Takes connections at every address of loopback's network and never answers.</summary>
    private sealed class SilentReceiver : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Any, port: 0);

        public SilentReceiver() => _listener.Start(backlog: 100);

        public string UrlPattern => $"%:{Port}/%";

        private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public string Url(int host) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.{host}:{Port}/");

        public void Dispose() => _listener.Dispose();
    }
}
