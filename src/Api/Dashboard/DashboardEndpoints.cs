using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Seq2Seq.Api.Authentication;
using Seq2Seq.Api.Jobs;
using Seq2Seq.Api.Models;
using Seq2Seq.Api.Problems;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Api.Dashboard;

/// <summary>
/// The pages under <c>/dashboard</c>, rendered here as whole documents from our tables; what they change is in <see cref="DashboardActions"/>.
/// </summary>
internal static class DashboardEndpoints
{
    public const string Root = "/dashboard";

    public const int JobsOnOverview = 8;
    private const int JobsOnPage = 50;
    private const int ShardsOnPage = 100;
    private const int ResultsOnPage = 10;
    private const int LongestSearch = 200;

    /// <summary>What goes wrong is explained on a page to whom asks for pages.</summary>
    public static ErrorShape Errors { get; } = new(Explain);

    public static IServiceCollection AddDashboard(this IServiceCollection services)
    {
        services.AddRazorComponents();
        services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "seq2seq-form";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        return services;
    }

    public static void MapDashboard(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder pages = app.MapGroup(Root).ExcludeFromDescription().WithMetadata(Errors);
        pages.MapGet("/", ShowOverviewAsync);
        pages.MapGet("/jobs", ShowJobsAsync);
        pages.MapGet("/jobs/{id}", ShowJobAsync);
        pages.MapGet("/models", ShowModelsAsync);
        pages.MapGet("/models/{**name}", ShowModelAsync);
        pages.MapGet("/devices", ShowDevicesAsync);
        pages.MapGet("/keys", ShowKeysAsync).RequireAuthorization(KeyScopes.Admin);
        pages.MapDashboardActions();
        app.MapGet("/", () => TypedResults.LocalRedirect(Root)).ExcludeFromDescription();
        app.MapDashboardAssets();
        app.MapHangfirePages();
    }

    private static async Task<RazorComponentResult<OverviewPage>> ShowOverviewAsync(
        Caller caller,
        JobDirectory jobs,
        ModelDirectory models,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        Task<IReadOnlyList<Job>> ListAsync(JobState? state) =>
            jobs.ListAsync(
                new JobFilter
                {
                    State = state,
                    ApiKeyId = caller.OnlyJobsOf,
                    Limit = JobsOnOverview,
                },
                cancellationToken
            );

        IReadOnlyList<Job> running = await ListAsync(JobState.Running);
        IReadOnlyList<Job> recent = await ListAsync(state: null);
        return new RazorComponentResult<OverviewPage>(
            new
            {
                Now = time.GetUtcNow(),
                Running = running,
                Queued = await ListAsync(JobState.Queued),
                Recent = recent,
                Rates = await jobs.ListRatesAsync(running.Concat(recent), cancellationToken),
                Models = await models.ListModelsAsync(cancellationToken),
                Slots = await models.ListSlotsAsync(cancellationToken),
            }
        );
    }

    // A person's mistyped filter shows nothing rather than a refusal.
    private static async Task<RazorComponentResult<JobsPage>> ShowJobsAsync(
        Caller caller,
        JobDirectory jobs,
        ModelDirectory models,
        TimeProvider time,
        string? state,
        string? model,
        string? search,
        string? after,
        CancellationToken cancellationToken
    )
    {
        search = new string([.. (search ?? "").Where(letter => !char.IsControl(letter)).Take(LongestSearch)]).Trim();
        JobState? wanted =
            Enum.TryParse(state, ignoreCase: true, out JobState parsed) && Enum.IsDefined(parsed) ? parsed : null;
        IReadOnlyList<ModelStatus> known = await models.ListModelsAsync(cancellationToken);
        model = known.Any(status => status.Name == model) ? model : null;
        IReadOnlyList<Job> found = await jobs.ListAsync(
            new JobFilter
            {
                State = wanted,
                Model = model,
                Search = search.Length == 0 ? null : search,
                Before = RequestedJob.TryParseId(after ?? "", out Guid cursor) ? cursor : null,
                ApiKeyId = caller.OnlyJobsOf,
                Limit = JobsOnPage + 1,
            },
            cancellationToken
        );
        Job[] shown = [.. found.Take(JobsOnPage)];
        return new RazorComponentResult<JobsPage>(
            new
            {
                Now = time.GetUtcNow(),
                Jobs = shown,
                Rates = await jobs.ListRatesAsync(shown, cancellationToken),
                Next = found.Count > JobsOnPage ? found[JobsOnPage - 1].Id : (Guid?)null,
                State = wanted,
                Model = model,
                Search = search,
                IsFirst = after is null,
                Models = known.Select(status => status.Name).ToArray(),
            }
        );
    }

    private static async Task<RazorComponentResult<JobPage>> ShowJobAsync(
        RequestedJob requested,
        JobDirectory jobs,
        ResultReader results,
        TimeProvider time,
        [FromQuery(Name = "after_line")] string? afterLine,
        CancellationToken cancellationToken
    )
    {
        long after = long.TryParse(afterLine, CultureInfo.InvariantCulture, out long line) ? line : -1;
        IReadOnlyList<ShardStatus> shards = await jobs.ListShardsAsync(
            requested.Id,
            ShardsOnPage + 1,
            after,
            cancellationToken
        );
        IReadOnlyDictionary<Guid, double> rates = await jobs.ListRatesAsync([requested.Job], cancellationToken);
        return new RazorComponentResult<JobPage>(
            new
            {
                Now = time.GetUtcNow(),
                requested.Job,
                Rate = rates.TryGetValue(requested.Id, out double rate) ? rate : (double?)null,
                Parameters = GenerationParametersJson.Write(requested.Job.Parameters),
                Shards = shards.Take(ShardsOnPage).ToArray(),
                IsFirst = after < 0,
                NextShard = shards.Count > ShardsOnPage ? shards[ShardsOnPage - 1].FirstLine : (long?)null,
                Webhooks = await jobs.ListWebhooksAsync(requested.Id, cancellationToken),
                Loads = await jobs.ListLoadsAsync(requested.Id, cancellationToken),
                Preview = await results
                    .ReadAsync(requested.Id, 0, cancellationToken)
                    .Take(ResultsOnPage)
                    .ToArrayAsync(cancellationToken),
            }
        );
    }

    private static async Task<RazorComponentResult<ModelsPage>> ShowModelsAsync(
        ModelDirectory models,
        CancellationToken cancellationToken
    ) => new(new { Models = await models.ListModelsAsync(cancellationToken) });

    private static async Task<RazorComponentResult<ModelPage>> ShowModelAsync(
        string name,
        ModelDirectory models,
        TimeProvider time,
        CancellationToken cancellationToken
    ) => new(new { Now = time.GetUtcNow(), Model = await ModelEndpoints.FindAsync(name, models, cancellationToken) });

    private static async Task<RazorComponentResult<KeysPage>> ShowKeysAsync(
        ApiKeyDirectory keys,
        TimeProvider time,
        CancellationToken cancellationToken
    ) => new(new { Now = time.GetUtcNow(), Keys = await keys.ListAsync(cancellationToken) });

    private static async Task<RazorComponentResult<DevicesPage>> ShowDevicesAsync(
        ModelDirectory models,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        new(
            new
            {
                Now = time.GetUtcNow(),
                Slots = await models.ListSlotsAsync(cancellationToken),
                Models = await models.ListModelsAsync(cancellationToken),
            }
        );

    private static IResult Explain(HttpContext context, Problem problem) =>
        context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
            ? ErrorPageOf(problem)
            : new ProblemResult(problem);

    private static RazorComponentResult<ErrorPage> ErrorPageOf(Problem problem) =>
        new(
            new
            {
                problem.Title,
                problem.Detail,
                problem.Code,
                problem.Status,
                problem.TraceId,
            }
        )
        {
            StatusCode = problem.Status,
        };
}
