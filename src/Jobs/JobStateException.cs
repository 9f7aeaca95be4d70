using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs;

/// <summary>A job's state does not allow what was asked (HTTP: 409); nothing was changed. The caller must look at the job again.</summary>
public sealed class JobStateException(string message) : Exception(message)
{
    public string Code { get; } = "job_state_conflict";

    internal static JobStateException Of(Job job, string rule) =>
        new($"The job is {StateNames.Of(job.State)}; {rule}.");
}
