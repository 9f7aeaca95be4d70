using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.HttpResults;
using Seq2Seq.Api.Jobs;
using Seq2Seq.Api.Models;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Dashboard;

/// <summary>
/// What the pages change: plain form posts that lead back to their page. Each carries the token of a page of ours, besides what
/// <see cref="Authentication.RequestGuard"/> asks of every request.
/// </summary>
internal static class DashboardActions
{
    public static void MapDashboardActions(this IEndpointRouteBuilder pages)
    {
        RouteGroupBuilder actions = pages.MapGroup("").AddEndpointFilter(RefuseOtherFormsAsync);
        RouteGroupBuilder job = actions.MapGroup("/jobs/{id}");
        job.MapPost("/cancel", OnJob((jobs, id, cancellationToken) => jobs.CancelAsync(id, cancellationToken)));
        job.MapPost("/pause", OnJob((jobs, id, cancellationToken) => jobs.PauseAsync(id, cancellationToken)));
        job.MapPost("/resume", OnJob((jobs, id, cancellationToken) => jobs.ResumeAsync(id, cancellationToken)));
        job.MapPost("/retry", OnJob((jobs, id, cancellationToken) => jobs.RetryAsync(id, cancellationToken)));
        job.MapPost("/priority", SetPriorityAsync);
        RouteGroupBuilder model = actions.MapGroup("/models/{name}").RequireAuthorization(KeyScopes.Admin);
        model.MapPost(
            "/pause",
            OnModel((models, name, cancellationToken) => models.PauseAsync(name, cancellationToken))
        );
        model.MapPost(
            "/resume",
            OnModel((models, name, cancellationToken) => models.ResumeAsync(name, cancellationToken))
        );
        model.MapPost(
            "/load",
            OnModel((models, name, cancellationToken) => models.RetryLoadAsync(name, cancellationToken))
        );
    }

    private static async ValueTask<object?> RefuseOtherFormsAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        HttpContext context = invocation.HttpContext;
        try
        {
            await RequestBody.ReadFormAsync(context.Request, context.RequestAborted);
            await context.RequestServices.GetRequiredService<IAntiforgery>().ValidateRequestAsync(context);
        }
        catch (AntiforgeryValidationException exception)
        {
            throw new RequestException(ProblemCodes.FormInvalid, ProblemCodes.FormInvalid.Meaning, exception);
        }

        return await next(invocation);
    }

    private static Delegate OnJob(Func<JobDirectory, Guid, CancellationToken, Task<Job?>> change) =>
        async (RequestedJob requested, JobDirectory jobs, CancellationToken cancellationToken) =>
        {
            await change(jobs, requested.Id, cancellationToken);
            return BackTo(requested);
        };

    private static async Task<RedirectHttpResult> SetPriorityAsync(
        HttpRequest request,
        RequestedJob requested,
        JobDirectory jobs,
        CancellationToken cancellationToken
    )
    {
        const string Field = "priority";
        IFormCollection form = await RequestBody.ReadFormAsync(request, cancellationToken);
        long priority =
            RequestText.Integer(form[Field], Field, JobRequest.FirstPriority, JobRequest.LastPriority)
            ?? throw RequestException.Missing(
                Field,
                RequestText.Range(JobRequest.FirstPriority, JobRequest.LastPriority)
            );
        await jobs.SetPriorityAsync(requested.Id, (int)priority, cancellationToken);
        return BackTo(requested);
    }

    private static Delegate OnModel(Func<ModelDirectory, string, CancellationToken, Task> change) =>
        async (string name, ModelDirectory models, CancellationToken cancellationToken) =>
        {
            ModelStatus model = await ModelEndpoints.FindAsync(name, models, cancellationToken);
            await change(models, model.Name, cancellationToken);
            return TypedResults.LocalRedirect($"{DashboardEndpoints.Root}/models/{Uri.EscapeDataString(model.Name)}");
        };

    private static RedirectHttpResult BackTo(RequestedJob requested) =>
        TypedResults.LocalRedirect($"{DashboardEndpoints.Root}/jobs/{requested.Id}");
}
