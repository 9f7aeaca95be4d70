using Hangfire;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs.Keys;

namespace Seq2Seq.Api.Dashboard;

/// <summary>
/// Hangfire's own pages, under <c>/hangfire</c>. They believe that every request has a form that can be read and that every id of a
/// job is a number; a request that is wrong there is answered as such, and not as a fault of the service.
/// </summary>
internal static class HangfirePages
{
    // Hangfire's statistics group over its whole job table, once for each open tab.
    private const int StatisticsMilliseconds = 15_000;

    public static void MapHangfirePages(this IEndpointRouteBuilder app) =>
        app.MapHangfireDashboard(
                "/hangfire",
                new DashboardOptions
                {
                    // The rule for every endpoint holds here as well; Hangfire's own would let in local callers alone.
                    Authorization = [],
                    AppPath = DashboardEndpoints.Root,
                    DashboardTitle = "Seq2Seq Jobs · Hangfire",
                    StatsPollingInterval = StatisticsMilliseconds,
                    IgnoreAntiforgeryToken = true,
                    DisplayStorageConnectionString = false,
                }
            )
            .RequireAuthorization(KeyScopes.Admin)
            .WithMetadata(DashboardEndpoints.Errors)
            .Add(endpoint => endpoint.RequestDelegate = Refusing(endpoint.RequestDelegate!));

    private static RequestDelegate Refusing(RequestDelegate pages) =>
        async context =>
        {
            await RequestBody.ReadFormAsync(context.Request, context.RequestAborted);
            try
            {
                await pages(context);
            }
            catch (Exception exception) when (exception.GetBaseException() is FormatException or OverflowException)
            {
                throw new RequestException(
                    ProblemCodes.JobNotFound,
                    "An id of a job of Hangfire is a number.",
                    exception
                );
            }
        };
}
