using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>Registers the check of webhooks and their delivery.</summary>
internal static class WebhookServices
{
    public static IServiceCollection AddWebhooks(this IServiceCollection services)
    {
        services
            .AddOptions<WebhooksOptions>()
            .BindConfiguration(WebhooksOptions.SectionName, binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<WebhooksOptions>, WebhooksOptionsCheck>();
        services.AddSingleton<WebhookSender>();
        services.AddHostedService<WebhookDelivery>();
        return services;
    }
}
