using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Webhooks;

namespace Seq2Seq.Jobs.Storage;

/// <summary>Registers what keeps jobs: submitting, finding, cancelling, reading results.</summary>
internal static class StoreServices
{
    /// <summary>Needs an <c>NpgsqlDataSource</c>, the options and the <see cref="DatabaseListener"/>.</summary>
    public static IServiceCollection AddJobStore(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<WebhookConnections>();
        services.AddSingleton<WebhookCheck>();
        services.AddSingleton<RequestCheck>();
        services.AddSingleton<KeyUsage>();
        services.AddSingleton<ApiKeyDirectory>();
        services.AddSingleton<JobEndings>();
        services.AddSingleton(provider => new JobSubmitter(
            provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<RequestCheck>(),
            provider.GetRequiredService<KeyUsage>(),
            provider.GetRequiredService<IOptions<JobsOptions>>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(provider => new JobDirectory(
            provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<JobEndings>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(provider => new ResultReader(provider.GetRequiredService<NpgsqlDataSource>()));
        return services;
    }
}
