using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Seq2Seq.Testing;

/// <summary>Somebody's server on loopback, which keeps what it is sent and answers as it is told.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _application;

    private WebhookReceiver(WebApplication application) => _application = application;

    public ConcurrentQueue<ReceivedWebhook> Received { get; } = [];

    /// <summary>Decides the answer; 204 when null.</summary>
    public Func<HttpContext, Task>? Answer { get; set; }

    public string Url => $"{_application.Urls.Single()}/hook";

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new WebhookReceiver(builder.Build());
        receiver._application.MapFallback(receiver.ReceiveAsync);
        await receiver._application.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        Received.Enqueue(
            new ReceivedWebhook(
                context.Request.Path,
                context.Request.Headers.ToDictionary(
                    header => header.Key,
                    header => header.Value.ToString(),
                    StringComparer.OrdinalIgnoreCase
                ),
                await reader.ReadToEndAsync()
            )
        );
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        if (Answer is not null)
        {
            await Answer(context);
        }
    }
}

/// <summary>A request that arrived.</summary>
public sealed record ReceivedWebhook(string Path, IReadOnlyDictionary<string, string> Headers, string Body);
