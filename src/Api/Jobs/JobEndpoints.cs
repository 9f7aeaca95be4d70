using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Seq2Seq.Api.OpenApi;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs;

namespace Seq2Seq.Api.Jobs;

/// <summary><c>/jobs</c>: submit, list, look at, cancel; results and events stand in their own files.</summary>
internal static class JobEndpoints
{
    private const int MostJobs = 200;
    private const int MostShards = 1000;
    private const int MostWaitSeconds = 60;
    private const int LongestSearch = 200;

    private static readonly Dictionary<string, JobState> States = Enum.GetValues<JobState>()
        .ToDictionary(JobResource.StateName, StringComparer.Ordinal);

    public static void MapJobs(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder jobs = app.MapGroup("/jobs").WithTags("Jobs");
        jobs.MapPost("/", SubmitJob.HandleAsync).WithName("SubmitJob").DescribeSubmit();

        RouteGroupBuilder strict = jobs.MapGroup("").AddEndpointFilterFactory(StrictQuery.Create);
        strict.MapGet("/", ListAsync).WithName("ListJobs").WithSummary("List jobs").RefusesWith(400);
        strict.MapGet("/{id}", GetAsync).WithName("GetJob").WithSummary("Look at a job").RefusesWith(400, 404);
        strict
            .MapGet("/{id}/results", JobResults.HandleAsync)
            .WithName("GetResults")
            .DescribeResults()
            .RefusesWith(400, 404, 406);
        strict
            .MapGet("/{id}/shards", ListShardsAsync)
            .WithName("ListShards")
            .WithSummary("List a job's shards")
            .RefusesWith(400, 404);
        strict
            .MapGet("/{id}/events", JobEvents.HandleAsync)
            .WithName("FollowJob")
            .WithSummary("Follow a job's progress")
            .RefusesWith(404);
        strict.MapPost("/{id}/cancel", CancelAsync).WithName("CancelJob").WithSummary("Cancel a job").RefusesWith(404);
    }

    /// <summary>Newest first, in pages; every filter is optional.</summary>
    private static async Task<Ok<JobPage>> ListAsync(
        HttpResponse response,
        JobDirectory jobs,
        [FromQuery, Description("receiving, queued, running, completed, failed or cancelled.")] string? state,
        [FromQuery, Description("Only jobs for this model.")] string? model,
        [FromQuery, Description("Part of a name, or an id.")] string? search,
        [FromQuery, Description("The next of the page before.")] string? after,
        [FromQuery, Description("Jobs in a page: 1 to 200, 50 when absent.")] string? limit,
        CancellationToken cancellationToken
    )
    {
        int most = (int)(RequestText.Integer(limit, "limit", 1, MostJobs) ?? new JobFilter().Limit);
        var filter = new JobFilter
        {
            State = RequestText.Choice(state, "state", States),
            Model = model is null ? null : RequestText.Plain(model, "model", LongestSearch),
            Search = search is null ? null : RequestText.Plain(search, "search", LongestSearch),
            Before = ParseCursor(after),
            Limit = most + 1,
        };
        IReadOnlyList<Job> found = await jobs.ListAsync(filter, cancellationToken);
        Guid? next = found.Count > most ? found[most - 1].Id : null;
        if (next is not null)
        {
            QueryString query = QueryString.Create(
                new Dictionary<string, string?>(StringComparer.Ordinal)
                {
                    ["state"] = state,
                    ["model"] = model,
                    ["search"] = search,
                    ["limit"] = limit,
                    ["after"] = next.ToString(),
                }.Where(parameter => parameter.Value is not null)
            );
            response.Headers.Link = $"</jobs{query}>; rel=\"next\"";
        }

        return TypedResults.Ok(new JobPage([.. found.Take(most).Select(JobResource.Of)], next));
    }

    /// <summary>Its state and progress, and the loads of models that served it.</summary>
    private static async Task<Results<Ok<JobDetail>, ProblemResult>> GetAsync(
        string id,
        JobDirectory jobs,
        [
            FromQuery(Name = "wait_seconds"),
            Description("Answers when the job has finished, or after this time: 0 to 60.")
        ]
            string? waitSeconds,
        CancellationToken cancellationToken
    )
    {
        long wait = RequestText.Integer(waitSeconds, "wait_seconds", 0, MostWaitSeconds) ?? 0;
        if (!TryParseId(id, out Guid jobId))
        {
            return NotFound(id);
        }

        Job? job =
            wait > 0
                ? await jobs.WaitAsync(jobId, TimeSpan.FromSeconds(wait), cancellationToken)
                : await jobs.FindAsync(jobId, cancellationToken);
        return job is null
            ? NotFound(id)
            : TypedResults.Ok(JobDetail.Of(job, await jobs.ListLoadsAsync(jobId, cancellationToken)));
    }

    /// <summary>The pieces that a job was cut into, in input order, with their attempts and errors.</summary>
    private static async Task<Results<Ok<ShardPage>, ProblemResult>> ListShardsAsync(
        string id,
        JobDirectory jobs,
        [FromQuery(Name = "after_line"), Description("The next of the page before.")] string? afterLine,
        [FromQuery, Description("Shards in a page: 1 to 1000, 100 when absent.")] string? limit,
        CancellationToken cancellationToken
    )
    {
        int most = (int)(RequestText.Integer(limit, "limit", 1, MostShards) ?? 100);
        long after = RequestText.Integer(afterLine, "after_line", 0, long.MaxValue) ?? -1;
        if (!TryParseId(id, out Guid jobId) || await jobs.FindAsync(jobId, cancellationToken) is null)
        {
            return NotFound(id);
        }

        IReadOnlyList<ShardStatus> shards = await jobs.ListShardsAsync(jobId, most + 1, after, cancellationToken);
        long? next = shards.Count > most ? shards[most - 1].FirstLine : null;
        return TypedResults.Ok(new ShardPage([.. shards.Take(most)], next));
    }

    /// <summary>Stops a job that has not finished. Results that are there are kept. Cancelling twice equals once.</summary>
    private static async Task<Results<Ok<JobResource>, ProblemResult>> CancelAsync(
        string id,
        JobDirectory jobs,
        CancellationToken cancellationToken
    ) =>
        TryParseId(id, out Guid jobId) && await jobs.CancelAsync(jobId, cancellationToken) is { } job
            ? TypedResults.Ok(JobResource.Of(job))
            : NotFound(id);

    public static bool TryParseId(string text, out Guid id) => Guid.TryParseExact(text, "D", out id);

    public static ProblemResult NotFound(string id) =>
        new(
            Problem.Of(ProblemCodes.JobNotFound) with
            {
                Field = "id",
                Found = id.Length <= 100 ? id : id[..100],
                Expected = "the id of a job",
            }
        );

    private static Guid? ParseCursor(string? text) =>
        text is null ? null
        : TryParseId(text, out Guid id) ? id
        : throw RequestException.Invalid("after", text, "the next of a page of jobs");
}
