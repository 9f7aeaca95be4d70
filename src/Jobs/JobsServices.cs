using Microsoft.Extensions.DependencyInjection;

namespace Seq2Seq.Jobs;

/// <summary>Registers this project's services. The host has registered an <c>NpgsqlDataSource</c> and the configuration.</summary>
public static class JobsServices
{
    /// <summary>Everything an API needs: submit, list, cancel, read results; Hangfire's storage and client; migration is apart.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services) => throw new NotSupportedException();

    /// <summary>Everything a worker needs besides: preload, one Hangfire server per slot, feed, leases, rescue, retention.</summary>
    public static IServiceCollection AddJobWorkers(this IServiceCollection services) =>
        throw new NotSupportedException();
}
