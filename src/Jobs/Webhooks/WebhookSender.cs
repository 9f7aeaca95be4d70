using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>Makes one attempt to deliver a message. Any 2xx is a delivery; a body of the answer is not read.</summary>
internal sealed class WebhookSender(
    WebhookConnections connections,
    IOptions<WebhooksOptions> options,
    TimeProvider time
) : IDisposable
{
    private static readonly ProductInfoHeaderValue _userAgent = new(
        "Seq2Seq-Jobs",
        typeof(WebhookSender).Assembly.GetName().Version?.ToString(3)
    );

    private readonly HttpClient _client = connections.CreateClient();

    public async Task<WebhookAnswer> SendAsync(WebhookMessage message, CancellationToken cancellationToken)
    {
        string[] secrets =
            message.Secret is { } own ? [own]
            : options.Value.Secret is { } configured ? [configured, .. options.Value.PreviousSecrets]
            : [];
        if (secrets.Length == 0)
        {
            return WebhookAnswer.Failed("There is no secret to sign with any more.");
        }

        try
        {
            using var request = Request(message, secrets);
            using var response = await _client.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                cancellationToken
            );
            return Read(response);
        }
        catch (Exception exception)
            when (exception is HttpRequestException or IOException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            // The innermost says what happened; above it stands only that sending failed.
            string what =
                exception is OperationCanceledException
                    ? $"no answer in {options.Value.Timeout}"
                    : exception.GetBaseException().Message;
            return WebhookAnswer.Failed(what);
        }
        catch (WebhookRefusedException exception)
        {
            return WebhookAnswer.Failed(exception.Message);
        }
    }

    public void Dispose() => _client.Dispose();

    private HttpRequestMessage Request(WebhookMessage message, string[] secrets)
    {
        var now = time.GetUtcNow();
        string id = WebhookStatus.MessageIdOf(message.Id);
        var request = new HttpRequestMessage(HttpMethod.Post, message.Url)
        {
            Content = new StringContent(message.Body, Encoding.UTF8, "application/json"),
        };
        request.Headers.UserAgent.Add(_userAgent);
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        // A receiver takes the message when any of them is right.
        request.Headers.Add(
            "webhook-signature",
            string.Join(' ', secrets.Select(secret => WebhookSignature.Sign(secret, id, now, message.Body)))
        );
        return request;
    }

    private WebhookAnswer Read(HttpResponseMessage response)
    {
        int status = (int)response.StatusCode;
        if (response.IsSuccessStatusCode)
        {
            return new WebhookAnswer(status, Error: null, RetryAfter: null, Final: true);
        }

        string error = string.Create(CultureInfo.InvariantCulture, $"The receiver answered {status}.");
        var retryAfter = response.Headers.RetryAfter?.Delta ?? (response.Headers.RetryAfter?.Date - time.GetUtcNow());
        return new WebhookAnswer(status, error, retryAfter, Final: response.StatusCode == HttpStatusCode.Gone);
    }
}

/// <param name="Id">The message; the same in every attempt.</param>
/// <param name="Url">Where it goes.</param>
/// <param name="Secret">The job's own; null means the configured one.</param>
/// <param name="Body">JSON.</param>
/// <param name="Attempts">Attempts so far, this one included.</param>
internal sealed record WebhookMessage(Guid Id, string Url, string? Secret, string Body, int Attempts);

/// <param name="Status">The HTTP status; null when there was no answer.</param>
/// <param name="Error">Why it counts as not delivered; null when it was.</param>
/// <param name="RetryAfter">When the receiver wants it again.</param>
/// <param name="Final">Whether nothing more is to be sent: it was delivered, or the receiver is gone (410).</param>
internal sealed record WebhookAnswer(int? Status, string? Error, TimeSpan? RetryAfter, bool Final)
{
    public static WebhookAnswer Failed(string error) => new(Status: null, error, RetryAfter: null, Final: false);
}
