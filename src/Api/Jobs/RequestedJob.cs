using Seq2Seq.Api.Authentication;
using Seq2Seq.Api.Problems;
using Seq2Seq.Jobs;

namespace Seq2Seq.Api.Jobs;

/// <summary>
/// The job that <c>{id}</c> in an address names. Handlers under <c>/jobs/{id}</c> take this instead of the id, so that none answers for
/// a job that is not there, or is not the caller's: both look the same.
/// </summary>
internal sealed record RequestedJob(Job Job)
{
    public const string RouteParameter = "id";

    private const int LongestFound = 100;

    public Guid Id => Job.Id;

    /// <summary>Called by the framework before the handler.</summary>
    /// <exception cref="RequestException">There is no such job.</exception>
    public static async ValueTask<RequestedJob> BindAsync(HttpContext context)
    {
        string text = context.GetRouteValue(RouteParameter) as string ?? "";
        JobDirectory jobs = context.RequestServices.GetRequiredService<JobDirectory>();
        return
            TryParseId(text, out Guid id)
            && await jobs.FindAsync(id, context.RequestAborted) is { } job
            && Caller.Of(context.User).Sees(job)
            ? new RequestedJob(job)
            : throw NotFound(text);
    }

    public static bool TryParseId(string text, out Guid id) => Guid.TryParseExact(text, "D", out id);

    /// <summary>For a job that was there when the request came, and is not any more.</summary>
    public RequestException Gone() => NotFound(Id.ToString());

    private static RequestException NotFound(string id) =>
        new(ProblemCodes.JobNotFound, ProblemCodes.JobNotFound.Meaning)
        {
            Field = RouteParameter,
            Found = id.Length <= LongestFound ? id : id[..LongestFound],
            Expected = "the id of a job",
        };
}
