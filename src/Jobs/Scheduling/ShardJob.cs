using System.Reflection;
using Seq2Seq.Jobs.Execution;
using HangfireJob = Hangfire.Common.Job;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// The job that Hangfire stores for a shard: ids only. The names of this class and its method and the types of the
/// parameters are a stored contract, since jobs queued by one version are run by the next. Running it twice, late or
/// for a shard that is done is harmless: the lease decides who works.
/// </summary>
internal sealed class ShardJob(ShardRunner runner)
{
    private static readonly MethodInfo _run = typeof(ShardJob).GetMethod(nameof(RunAsync))!;

    /// <summary>The invocation that Hangfire stores.</summary>
    public static HangfireJob For(Guid jobId, long shardId, string queue) =>
        new(typeof(ShardJob), _run, [jobId, shardId, CancellationToken.None], queue);

    [ShardJobDisplayName]
    public Task RunAsync(Guid jobId, long shardId, CancellationToken cancellationToken) =>
        runner.RunAsync(jobId, shardId, cancellationToken);
}
