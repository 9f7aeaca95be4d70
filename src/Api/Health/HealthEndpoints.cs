using Microsoft.AspNetCore.Http.HttpResults;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Api.Health;

/// <summary><c>/livez</c>: the process answers. <c>/readyz</c>: the database answers and, in a process with workers, a model is ready.</summary>
internal static partial class HealthEndpoints
{
    // Probes have short patience, and a hanging database is as bad as none.
    private static readonly TimeSpan DatabaseTimeout = TimeSpan.FromSeconds(3);

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder group = app.MapGroup("").WithTags("Health").AllowAnonymous();
        group.MapGet("/livez", GetLiveness).WithName("GetLiveness").WithSummary("Whether the process answers");
        group
            .MapGet("/readyz", GetReadinessAsync)
            .WithName("GetReadiness")
            .WithSummary("Whether the service can work, and what is missing")
            .Produces<Readiness>()
            .Produces<Readiness>(StatusCodes.Status503ServiceUnavailable);
    }

    private static Ok<Liveness> GetLiveness() => TypedResults.Ok(new Liveness("live"));

    /// <summary>200 while this process can do its part; strangers see only the status.</summary>
    private static async Task<JsonHttpResult<Readiness>> GetReadinessAsync(
        HttpContext context,
        ModelDirectory models,
        TimeProvider time,
        ILogger<Readiness> logger,
        CancellationToken cancellationToken
    )
    {
        using var timeout = new CancellationTokenSource(DatabaseTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        Readiness readiness;
        try
        {
            readiness = Readiness.Of(
                await models.ListModelsAsync(either.Token),
                await models.ListSlotsAsync(either.Token),
                context.RequestServices.GetService<WorkerReadiness>()
            );
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnreachable(logger, exception);
            readiness = Readiness.WithoutDatabase;
        }

        return TypedResults.Json(
            context.User.Identity is { IsAuthenticated: true } ? readiness : readiness.WithoutDetails(),
            ApiJson.Web.Readiness,
            statusCode: readiness.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable
        );
    }

    [LoggerMessage(
        EventId = 3010,
        Level = LogLevel.Warning,
        Message = "The database did not answer the readiness probe"
    )]
    private static partial void LogUnreachable(ILogger logger, Exception exception);
}
