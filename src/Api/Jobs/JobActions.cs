using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Jobs;

/// <summary>What changes a job's course: cancel, pause, resume, retry, another priority. Each answers the job as it is afterwards.</summary>
internal static class JobActions
{
    /// <summary>Stops a job that has not finished. Results that are there are kept. Cancelling twice equals once.</summary>
    public static Task<Ok<JobResource>> CancelAsync(
        RequestedJob requested,
        JobDirectory jobs,
        CancellationToken cancellationToken
    ) => AnswerAsync(requested, jobs.CancelAsync(requested.Id, cancellationToken));

    /// <summary>
    /// Begins no more shards of a job that waits or runs; those that run go on to their end. Pausing twice equals once.
    /// </summary>
    public static Task<Ok<JobResource>> PauseAsync(
        RequestedJob requested,
        JobDirectory jobs,
        CancellationToken cancellationToken
    ) => AnswerAsync(requested, jobs.PauseAsync(requested.Id, cancellationToken));

    /// <summary>Lets a paused job go on. Resuming twice equals once.</summary>
    public static Task<Ok<JobResource>> ResumeAsync(
        RequestedJob requested,
        JobDirectory jobs,
        CancellationToken cancellationToken
    ) => AnswerAsync(requested, jobs.ResumeAsync(requested.Id, cancellationToken));

    /// <summary>
    /// Runs a job that has ended again, for the lines that have no output: those whose result is an error, and those that were
    /// cancelled. It is the same job's next run; all other results stay as they are.
    /// </summary>
    public static Task<Ok<JobResource>> RetryAsync(
        RequestedJob requested,
        JobDirectory jobs,
        CancellationToken cancellationToken
    ) => AnswerAsync(requested, jobs.RetryAsync(requested.Id, cancellationToken));

    /// <summary>Changes the priority of a job that has not ended, for every shard that was not begun.</summary>
    public static async Task<Ok<JobResource>> ChangeAsync(
        HttpRequest request,
        RequestedJob requested,
        JobDirectory jobs,
        CancellationToken cancellationToken
    )
    {
        using JsonDocument document = await RequestJson.ReadAsync(request, cancellationToken);
        RequestObject body = RequestObject.Of(document.RootElement);
        int? priority = body.TakeInteger("priority", JobRequest.FirstPriority, JobRequest.LastPriority);
        body.RefuseOthers();
        return priority is { } given
            ? await AnswerAsync(requested, jobs.SetPriorityAsync(requested.Id, given, cancellationToken))
            : throw Problems.RequestException.Missing(
                "priority",
                RequestText.Range(JobRequest.FirstPriority, JobRequest.LastPriority)
            );
    }

    private static async Task<Ok<JobResource>> AnswerAsync(RequestedJob requested, Task<Job?> change) =>
        TypedResults.Ok(JobResource.Of(await change ?? throw requested.Gone()));
}

/// <summary>The JSON body of <c>PATCH /jobs/{id}</c>, for the OpenAPI document; <see cref="JobActions"/> reads it strictly.</summary>
internal sealed record JobChange
{
    [System.ComponentModel.Description("0 (first) to 9 (last).")]
    public required int Priority { get; init; }
}
