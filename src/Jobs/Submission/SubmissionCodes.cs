namespace Seq2Seq.Jobs.Submission;

/// <summary>The stable codes of <see cref="SubmissionException"/>.</summary>
public static class SubmissionCodes
{
    /// <summary>No configured model has that name, here or on a worker.</summary>
    public const string ModelUnknown = "model_unknown";

    /// <summary>A generation parameter is refused.</summary>
    public const string ParameterInvalid = "parameter_invalid";

    /// <summary>Another field of the request is out of its range.</summary>
    public const string FieldInvalid = "field_invalid";

    /// <summary>There is not one line.</summary>
    public const string InputEmpty = "input_empty";

    /// <summary>The input as a whole can't be read: broken compression, or not a file of lines.</summary>
    public const string InputMalformed = "input_malformed";

    /// <summary>More bytes than <see cref="Configuration.JobsOptions.MaxInputBytes"/>.</summary>
    public const string InputTooLarge = "input_too_large";

    /// <summary>The key came with another request before (HTTP: 422).</summary>
    public const string IdempotencyKeyReused = "idempotency_key_reused";

    /// <summary>A submit with this key is still sending its lines (HTTP: 409).</summary>
    public const string IdempotencyKeyInFlight = "idempotency_key_in_flight";

    /// <summary>The job was cancelled, or given up as abandoned, while its lines arrived (HTTP: 409).</summary>
    public const string JobCancelled = "job_cancelled";
}
