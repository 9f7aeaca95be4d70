using System.Net;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>Checks the section <c>Webhooks</c> at start; lists every error.</summary>
internal sealed class WebhooksOptionsCheck : IValidateOptions<WebhooksOptions>
{
    private static readonly TimeSpan _longestTimeout = TimeSpan.FromMinutes(1);

    public ValidateOptionsResult Validate(string? name, WebhooksOptions options)
    {
        List<string> errors = [];
        if (options.Secret is not null && !WebhookSignature.IsSecret(options.Secret))
        {
            errors.Add($"{WebhooksOptions.SectionName}:Secret is not {WebhookSignature.SecretForm}.");
        }

        if (options.Secret is null && options.PreviousSecrets.Count > 0)
        {
            errors.Add($"{WebhooksOptions.SectionName}:PreviousSecrets are there without a Secret after them.");
        }

        if (!options.PreviousSecrets.TrueForAll(WebhookSignature.IsSecret))
        {
            errors.Add(
                $"{WebhooksOptions.SectionName}:PreviousSecrets has one that is not {WebhookSignature.SecretForm}."
            );
        }

        if (options.Timeout <= TimeSpan.Zero || options.Timeout > _longestTimeout)
        {
            errors.Add(
                $"{WebhooksOptions.SectionName}:Timeout is '{options.Timeout}'; expected more than nothing and at most {_longestTimeout}."
            );
        }

        errors.AddRange(
            options
                .AllowedNetworks.Where(network => !IPNetwork.TryParse(network, out _))
                .Select(network =>
                    $"{WebhooksOptions.SectionName}:AllowedNetworks has '{network}'; expected a network such as '10.1.0.0/16'."
                )
        );
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
