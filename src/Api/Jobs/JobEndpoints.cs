using System.ComponentModel;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Seq2Seq.Api.Authentication;
using Seq2Seq.Api.OpenApi;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs;

namespace Seq2Seq.Api.Jobs;

/// <summary><c>/jobs</c>: list and look at; submitting, results, events and actions stand in their own files.</summary>
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

        RouteGroupBuilder job = strict.MapGroup("/{id}").DescribeJobId().RefusesWith(404);
        job.MapGet("/", GetAsync)
            .WithName("GetJob")
            .WithSummary("Look at a job")
            .Produces(StatusCodes.Status304NotModified)
            .RefusesWith(400);
        job.MapPatch("/", JobActions.ChangeAsync)
            .WithName("ChangeJob")
            .WithSummary("Change a job's priority")
            .DescribeBody<JobChange>("""{ "priority": 1 }""")
            .RefusesWith(400, 409, 413, 415);
        job.MapGet("/results", JobResults.HandleAsync).WithName("GetResults").DescribeResults().RefusesWith(400, 406);
        job.MapGet("/shards", ListShardsAsync)
            .WithName("ListShards")
            .WithSummary("List a job's shards")
            .RefusesWith(400);
        job.MapGet("/events", JobEvents.Handle).WithName("FollowJob").DescribeEvents();
        job.MapGet("/webhooks", ListWebhooksAsync)
            .WithName("ListWebhooks")
            .WithSummary("List the messages to a job's webhook");
        job.MapPost("/cancel", JobActions.CancelAsync).WithName("CancelJob").WithSummary("Cancel a job");
        job.MapPost("/pause", JobActions.PauseAsync).WithName("PauseJob").WithSummary("Pause a job").RefusesWith(409);
        job.MapPost("/resume", JobActions.ResumeAsync)
            .WithName("ResumeJob")
            .WithSummary("Resume a paused job")
            .RefusesWith(409);
        job.MapPost("/retry", JobActions.RetryAsync)
            .WithName("RetryJob")
            .WithSummary("Run a job's failed lines again")
            .RefusesWith(409, 429);
    }

    /// <summary>Newest first, in pages; every filter is optional. A key without the scope all sees its own jobs.</summary>
    private static async Task<Ok<JobPage>> ListAsync(
        HttpResponse response,
        Caller caller,
        JobDirectory jobs,
        [FromQuery, Description("receiving, queued, running, paused, completed, failed or cancelled.")] string? state,
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
            ApiKeyId = caller.OnlyJobsOf,
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

    /// <summary>Its state and progress, and the loads of models that served it; 304 when that is what If-None-Match names.</summary>
    private static async Task<Results<Ok<JobDetail>, StatusCodeHttpResult>> GetAsync(
        HttpContext context,
        RequestedJob requested,
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
        Job job =
            wait == 0
                ? requested.Job
                : await jobs.WaitAsync(requested.Id, TimeSpan.FromSeconds(wait), cancellationToken)
                    ?? throw requested.Gone();
        // The loads change only together with the lines that are done.
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(JobResource.Of(job), ApiJson.Web.JobResource);
        return EntityTag.IsKnown(context, EntityTag.Of(content))
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Ok(JobDetail.Of(job, await jobs.ListLoadsAsync(job.Id, cancellationToken)));
    }

    /// <summary>The pieces that a job was cut into, in input order, with their attempts and errors.</summary>
    private static async Task<Ok<ShardPage>> ListShardsAsync(
        RequestedJob requested,
        JobDirectory jobs,
        [FromQuery(Name = "after_line"), Description("The next of the page before.")] string? afterLine,
        [FromQuery, Description("Shards in a page: 1 to 1000, 100 when absent.")] string? limit,
        CancellationToken cancellationToken
    )
    {
        int most = (int)(RequestText.Integer(limit, "limit", 1, MostShards) ?? 100);
        long after = RequestText.Integer(afterLine, "after_line", 0, long.MaxValue) ?? -1;
        IReadOnlyList<ShardStatus> shards = await jobs.ListShardsAsync(
            requested.Id,
            most + 1,
            after,
            cancellationToken
        );
        long? next = shards.Count > most ? shards[most - 1].FirstLine : null;
        return TypedResults.Ok(new ShardPage([.. shards.Take(most)], next));
    }

    /// <summary>The messages to the job's webhook that it has ended, each with its attempts and the last answer.</summary>
    private static async Task<Ok<WebhookList>> ListWebhooksAsync(
        RequestedJob requested,
        JobDirectory jobs,
        CancellationToken cancellationToken
    ) =>
        TypedResults.Ok(
            new WebhookList([
                .. (await jobs.ListWebhooksAsync(requested.Id, cancellationToken)).Select(WebhookResource.Of),
            ])
        );

    private static Guid? ParseCursor(string? text) =>
        text is null ? null
        : RequestedJob.TryParseId(text, out Guid id) ? id
        : throw RequestException.Invalid("after", text, "the next of a page of jobs");
}
