namespace Seq2Seq.Jobs.Submission;

/// <summary>Turns a request and its lines into one job and its shards. Lines stream in; memory stays constant.</summary>
public sealed class JobSubmitter
{
    /// <summary>Submits a job; when this returns, the job is durable.</summary>
    /// <returns>The job, and whether this call created it (false: an earlier submit with the same idempotency key did).</returns>
    /// <exception cref="SubmissionException">The request is wrong; nothing was stored.</exception>
    public Task<SubmittedJob> SubmitAsync(
        JobRequest request,
        IAsyncEnumerable<SourceLine> lines,
        CancellationToken cancellationToken
    ) => throw new NotSupportedException();
}

/// <param name="Job">The job as stored.</param>
/// <param name="Created">False when an idempotency key led to an earlier job.</param>
public sealed record SubmittedJob(Job Job, bool Created);

/// <summary>A submit is refused: the caller must change the request. Codes are stable.</summary>
/// <param name="code">Such as <c>model_unknown</c>, <c>parameter_invalid</c>, <c>input_empty</c>, <c>input_too_large</c>, <c>idempotency_key_reused</c>.</param>
/// <param name="field">The field at fault, such as <c>model</c> or <c>parameters.num_beams</c>.</param>
public sealed class SubmissionException(string code, string field, string message) : Exception(message)
{
    public string Code { get; } = code;

    public string Field { get; } = field;
}
