using System.Globalization;
using Hangfire;
using Hangfire.Dashboard;
using HangfireJob = Hangfire.Common.Job;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>What Hangfire's dashboard calls a shard's job: its model, its job and its shard.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ShardJobDisplayNameAttribute() : JobDisplayNameAttribute("Shard {1} of job {0}")
{
    public override string Format(DashboardContext context, HangfireJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        string name = string.Format(CultureInfo.InvariantCulture, DisplayName, [.. job.Args]);
        return job.Queue is null ? name : $"{ShardQueue.ModelOf(job.Queue)}: {name}";
    }
}
