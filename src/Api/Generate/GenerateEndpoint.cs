using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Seq2Seq.Api.Authentication;
using Seq2Seq.Api.Jobs;
using Seq2Seq.Api.OpenApi;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Generate;

/// <summary>
/// <c>POST /generate</c>: a few texts at once through the same queue as every job, ahead of it. When the time is up the job goes on
/// and the answer says where; when the caller hangs up, the job is cancelled, because nobody knows its id.
/// </summary>
internal sealed class GenerateEndpoint(JobSubmitter submitter, JobDirectory jobs, ResultReader results)
{
    private const int MostInputs = 64;
    private const int MostTimeoutSeconds = 120;
    private const int FirstPriority = 0;
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    // Long enough to fetch what a timeout left behind.
    private static readonly TimeSpan Retention = TimeSpan.FromHours(1);

    // A cancel must not hang the request that nobody waits for.
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(5);

    public static void Map(IEndpointRouteBuilder app) =>
        app.MapPost("/generate", HandleAsync)
            .WithTags("Generate")
            .WithName("Generate")
            .WithSummary("Generate for a few texts and wait")
            .DescribeGenerate();

    /// <summary>Runs ahead of other jobs. For more than a few texts, submit a job.</summary>
    private static async Task<Results<Ok<GenerateResponse>, ProblemResult>> HandleAsync(
        HttpContext context,
        Caller caller,
        GenerateEndpoint endpoint,
        CancellationToken cancellationToken
    )
    {
        RequestBody.RefuseQuery(context.Request);
        using JsonDocument document = await RequestJson.ReadAsync(context.Request, cancellationToken);
        RequestObject body = RequestObject.Of(document.RootElement);
        JobRequest request = SubmissionReader.Read(
            body,
            FirstPriority,
            SubmissionReader.ReadIdempotencyKey(context.Request)
        );
        IReadOnlyList<SourceLine> lines = SubmissionReader.ReadInputs(body, MostInputs);
        int? seconds = body.TakeInteger("timeout_seconds", 1, MostTimeoutSeconds);
        body.RefuseOthers();
        return await endpoint.GenerateAsync(
            context.Response,
            request with
            {
                ApiKeyId = caller.ApiKeyId,
            },
            lines,
            seconds is { } given ? TimeSpan.FromSeconds(given) : DefaultTimeout,
            cancellationToken
        );
    }

    private async Task<Results<Ok<GenerateResponse>, ProblemResult>> GenerateAsync(
        HttpResponse response,
        JobRequest request,
        IReadOnlyList<SourceLine> lines,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        request = request with { Retention = request.Retention ?? Retention };
        SubmittedJob submitted = await submitter.SubmitAsync(request, lines.ToAsyncEnumerable(), cancellationToken);
        SubmitJob.TellReplay(response, submitted);
        Job job = submitted.Job;
        try
        {
            job = await jobs.WaitAsync(job.Id, timeout, cancellationToken) ?? job;
            if (job.State == JobState.Completed)
            {
                return TypedResults.Ok(await CollectAsync(job, cancellationToken));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && submitted.Created)
        {
            using var cancel = new CancellationTokenSource(CancelTimeout);
            await jobs.CancelAsync(job.Id, cancel.Token);
            throw;
        }

        return Unfinished(response, job);
    }

    private async Task<GenerateResponse> CollectAsync(Job job, CancellationToken cancellationToken)
    {
        IReadOnlyList<ServingLoad> loads = await jobs.ListLoadsAsync(job.Id, cancellationToken);
        var collected = new List<GenerateResult>();
        await foreach (LineResult line in results.ReadAsync(job.Id, 0, cancellationToken))
        {
            collected.Add(GenerateResult.Of(line.CustomId, line.Result));
        }

        return new GenerateResponse
        {
            Job = job.Id,
            Model = job.Model,
            ServedBy = [.. loads.Select(load => load.ServedBy).Distinct(StringComparer.Ordinal)],
            Results = collected,
        };
    }

    private static ProblemResult Unfinished(HttpResponse response, Job job)
    {
        string location = JobLinks.Of(job.Id).Self;
        response.Headers.Location = location;
        Problem problem = job.FinishedAt is null
            ? Problem.Of(
                ProblemCodes.GenerateTimeout,
                $"The job is {JobResource.StateName(job.State)}, with {job.LinesDone} of {job.Lines} results. {job.ErrorMessage}".TrimEnd()
            )
            : Problem.Of(ProblemCodes.JobFailed, job.ErrorMessage ?? $"The job is {JobResource.StateName(job.State)}.");
        return new ProblemResult(problem with { Job = location });
    }
}
