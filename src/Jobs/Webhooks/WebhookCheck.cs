using System.Net;
using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>
/// Checks a webhook when its job is submitted, so that what can't work is refused at once. What a name resolves to is checked
/// when a message is sent.
/// </summary>
internal sealed class WebhookCheck(WebhookConnections connections, IOptions<WebhooksOptions> options)
{
    private const int MaxUrlLength = 2000;

    /// <returns>The target with its address in canonical form.</returns>
    /// <exception cref="SubmissionException">Names the field.</exception>
    public WebhookTarget Check(WebhookTarget webhook)
    {
        if (webhook.Secret is null && options.Value.Secret is null)
        {
            throw Invalid(
                "webhook.secret",
                $"A secret is needed, because none is configured: {WebhookSignature.SecretForm}."
            );
        }

        if (webhook.Secret is not null && !WebhookSignature.IsSecret(webhook.Secret))
        {
            throw Invalid("webhook.secret", $"The secret is not {WebhookSignature.SecretForm}.");
        }

        return webhook with
        {
            Url = CheckUrl(webhook.Url).AbsoluteUri,
        };
    }

    private Uri CheckUrl(string text)
    {
        if (text.Length > MaxUrlLength || !Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            throw Invalid("webhook.url", $"The address is not a URL of at most {MaxUrlLength} characters.");
        }

        bool encrypted = url.Scheme == Uri.UriSchemeHttps;
        if (!encrypted && !(url.Scheme == Uri.UriSchemeHttp && connections.AllowsUnencrypted))
        {
            throw Invalid("webhook.url", $"The scheme is '{url.Scheme}'; expected 'https'.");
        }

        if (url.UserInfo.Length > 0 || url.Fragment.Length > 0)
        {
            throw Invalid("webhook.url", "The address has a user or a fragment; expected neither.");
        }

        if (IPAddress.TryParse(url.DnsSafeHost, out var address) && !connections.IsPermitted(address, encrypted))
        {
            throw Invalid("webhook.url", $"The address {address} is not one that webhooks may reach.");
        }

        return url;
    }

    private static SubmissionException Invalid(string field, string message) =>
        new(SubmissionCodes.FieldInvalid, field, message);
}
