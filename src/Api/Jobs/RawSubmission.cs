using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Jobs;

/// <summary>A job whose lines are the body itself, in one of the <see cref="InputFormats"/>; the rest stands in the query.</summary>
internal static class RawSubmission
{
    public static Submission Read(HttpRequest request, long mostBytes, CancellationToken cancellationToken)
    {
        RequestBody.Limit(request, mostBytes);
        // The format tells by the first bytes; the header may say it, too.
        RequestBody.RefuseEncoding(request, "gzip", "zstd");
        StrictQuery.RefuseRepeated(request.Query);
        RequestObject query = RequestObject.OfText(
            request.Query.Select(parameter => KeyValuePair.Create(parameter.Key, parameter.Value.ToString()))
        );
        IInputFormat format = InputFormatChoice.Choose(query.TakeString("format"), fileName: null, request.ContentType);
        JobRequest job = SubmissionReader.Read(
            query,
            SubmissionReader.UsualPriority,
            SubmissionReader.ReadIdempotencyKey(request)
        );
        query.RefuseOthers();
        return new Submission(job, format.ReadAsync(request.Body, cancellationToken));
    }
}
