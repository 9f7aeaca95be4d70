using System.Text.Json;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Jobs;

/// <summary>A job whose lines stand in a JSON body, which is read whole: see <see cref="RequestJson.MaxBytes"/>.</summary>
internal static class JsonSubmission
{
    public static async Task<Submission> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        RequestBody.RefuseQuery(request);
        using JsonDocument document = await RequestJson.ReadAsync(request, cancellationToken);
        RequestObject body = RequestObject.Of(document.RootElement);
        JobRequest job = SubmissionReader.Read(
            body,
            SubmissionReader.UsualPriority,
            SubmissionReader.ReadIdempotencyKey(request)
        );
        IReadOnlyList<SourceLine> lines = SubmissionReader.ReadInputs(body, int.MaxValue);
        body.RefuseOthers();
        return new Submission(job, lines.ToAsyncEnumerable());
    }
}
