using Hangfire;
using Seq2Seq.Jobs.Execution;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>Binds the jobs of one Hangfire server to its slot.</summary>
internal sealed class ShardJobActivator(ShardRunner runner) : JobActivator
{
    public override object ActivateJob(Type jobType) =>
        jobType == typeof(ShardJob)
            ? new ShardJob(runner)
            : throw new NotSupportedException($"'{jobType}' is not a job of this service.");
}
