using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Seq2Seq.Jobs;

namespace Seq2Seq.Api.Jobs;

/// <summary>
/// <c>GET /jobs/{id}/events</c>: progress as server-sent events, ending with <c>finished</c>. An event's id stands for what was shown, so a
/// client that reconnects with Last-Event-ID sees the next change, and nothing twice.
/// </summary>
internal static class JobEvents
{
    public const string LastSeenHeader = "Last-Event-ID";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    // Proxies and clients take a silent connection for a dead one after 30 to 60 seconds.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Events named progress and finished whose data is the job. The stream ends after finished; Last-Event-ID resumes.
    /// </summary>
    public static Results<ServerSentEventsResult<JobResource>, NoContent> Handle(
        HttpRequest request,
        RequestedJob requested,
        JobDirectory jobs,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        string? seen = request.Headers[LastSeenHeader];
        if (requested.Job.FinishedAt is not null && seen == IdOf(requested.Job))
        {
            // Browsers reconnect when a stream ends; this status tells them to stop (HTML, section 9.2.3).
            return TypedResults.NoContent();
        }

        return TypedResults.ServerSentEvents(FollowAsync(requested.Id, seen, jobs, time, cancellationToken));
    }

    private static async IAsyncEnumerable<SseItem<JobResource>> FollowAsync(
        Guid id,
        string? seen,
        JobDirectory jobs,
        TimeProvider time,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var timer = new PeriodicTimer(Interval, time);
        long last = time.GetTimestamp();
        do
        {
            if (await jobs.FindAsync(id, cancellationToken) is not { } job)
            {
                yield break;
            }

            bool finished = job.FinishedAt is not null;
            string shown = IdOf(job);
            if (finished || shown != seen || time.GetElapsedTime(last) >= LongestSilence)
            {
                yield return new SseItem<JobResource>(JobResource.Of(job), finished ? "finished" : "progress")
                {
                    EventId = shown,
                };
                seen = shown;
                last = time.GetTimestamp();
            }

            if (finished)
            {
                yield break;
            }
        } while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private static string IdOf(Job job) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{job.Run}-{JobResource.StateName(job.State)}-{job.Lines}-{job.LinesDone}"
        );
}
