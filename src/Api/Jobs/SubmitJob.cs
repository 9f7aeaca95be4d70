using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Seq2Seq.Api.Authentication;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Jobs;

/// <summary><c>POST /jobs</c>: a job from JSON, from a form with a file, or from the file itself as the body.</summary>
internal static class SubmitJob
{
    // Fields, part headers and boundaries around a file of the largest size.
    private const long FormOverheadBytes = 1024 * 1024;

    public static async Task<Accepted<JobResource>> HandleAsync(
        HttpContext context,
        Caller caller,
        JobSubmitter submitter,
        IOptions<JobsOptions> options,
        CancellationToken cancellationToken
    )
    {
        Submission submission = await ReadAsync(context.Request, options.Value.MaxInputBytes, cancellationToken);
        try
        {
            SubmittedJob submitted = await submitter.SubmitAsync(
                submission.Request with
                {
                    ApiKeyId = caller.ApiKeyId,
                },
                submission.Lines,
                cancellationToken
            );
            TellReplay(context.Response, submitted);
            var job = JobResource.Of(submitted.Job);
            return TypedResults.Accepted(job.Links.Self, job);
        }
        catch (Exception exception) when (RequestBody.IsMalformedForm(exception))
        {
            throw FormSubmission.Malformed(exception.Message, exception);
        }
    }

    /// <summary>Says in a header when an idempotency key has led to an earlier job.</summary>
    public static void TellReplay(HttpResponse response, SubmittedJob submitted)
    {
        if (!submitted.Created)
        {
            response.Headers["Idempotent-Replayed"] = "true";
        }
    }

    private static async Task<Submission> ReadAsync(
        HttpRequest request,
        long mostBytes,
        CancellationToken cancellationToken
    )
    {
        MediaTypeHeaderValue type = RequestBody.MediaType(request, InputFormatChoice.Bodies);
        return type.MediaType.ToString().ToLowerInvariant() switch
        {
            "application/json" => await JsonSubmission.ReadAsync(request, cancellationToken),
            "multipart/form-data" => await FormSubmission.ReadAsync(
                request,
                type,
                mostBytes + FormOverheadBytes,
                cancellationToken
            ),
            _ => RawSubmission.Read(request, mostBytes, cancellationToken),
        };
    }
}
