using System.Collections.Frozen;
using Seq2Seq.Jobs.Keys;

namespace Seq2Seq.Api.Problems;

/// <summary>Every <see cref="ProblemCode"/> of this service. A code is a contract: it may be added, never renamed.</summary>
internal static class ProblemCodes
{
    public static readonly ProblemCode BodyTooLarge = new(
        "body_too_large",
        StatusCodes.Status413PayloadTooLarge,
        "The body is too large",
        "Send less at once; large inputs go as a file, by multipart/form-data or as a raw body."
    );

    public static readonly ProblemCode BytesLimitReached = Limit(
        LimitCodes.BytesPerDay,
        "The API key has submitted its bytes for the day"
    );

    public static readonly ProblemCode CrossSite = new(
        "cross_site_refused",
        StatusCodes.Status403Forbidden,
        "A page of another site sent this",
        "A browser said that a page of another origin made this request. Programs send no Origin header, or an API key."
    );

    public static readonly ProblemCode DatabaseUnavailable = new(
        "database_unavailable",
        StatusCodes.Status503ServiceUnavailable,
        "The database can't be reached",
        "Nothing was accepted. Try again after the time that Retry-After gives; an Idempotency-Key makes that safe."
    );

    public static readonly ProblemCode EncodingInvalid = new(
        "encoding_invalid",
        StatusCodes.Status400BadRequest,
        "The text is not valid UTF-8",
        "Send text as UTF-8, and escapes in JSON as pairs of surrogates."
    );

    public static readonly ProblemCode FieldAfterFile = new(
        "field_after_file",
        StatusCodes.Status400BadRequest,
        "A field came after the file",
        "The file is read as it arrives, so every other field stands before it, and there is one file."
    );

    public static readonly ProblemCode FieldInvalid = new(
        "field_invalid",
        StatusCodes.Status400BadRequest,
        "A field has a wrong value",
        "field names it, found and expected say what was there and what would do."
    );

    public static readonly ProblemCode FieldMissing = new(
        "field_missing",
        StatusCodes.Status400BadRequest,
        "A required field is missing",
        "field names it, expected says what belongs there."
    );

    public static readonly ProblemCode FieldUnknown = new(
        "field_unknown",
        StatusCodes.Status400BadRequest,
        "There is no such field",
        "field names it, expected lists the names that exist. Nothing is ignored, so that a typing error is seen."
    );

    public static readonly ProblemCode FormatUnknown = new(
        "format_unknown",
        StatusCodes.Status406NotAcceptable,
        "No such result format",
        "expected lists the formats, for the format parameter and for Accept."
    );

    public static readonly ProblemCode FormInvalid = new(
        "form_invalid",
        StatusCodes.Status403Forbidden,
        "The form is not one of these pages",
        "Its token is missing, another's or too old; load the page again. Programs use the API instead."
    );

    public static readonly ProblemCode GenerateTimeout = new(
        "generate_timeout",
        StatusCodes.Status504GatewayTimeout,
        "The outputs were not ready in time",
        "Nothing is lost: the job goes on, and Location (and job) says where to fetch its results."
    );

    public static readonly ProblemCode HostUnknown = new(
        "host_unknown",
        StatusCodes.Status421MisdirectedRequest,
        "This host name is not served here",
        "Without an API key the service answers to loopback names only; more names stand in Access:Hosts."
    );

    public static readonly ProblemCode IdempotencyKeyInFlight = new(
        "idempotency_key_in_flight",
        StatusCodes.Status409Conflict,
        "The first request with this key is still sending",
        "Wait until it has been answered, then repeat the request to get its job."
    );

    public static readonly ProblemCode IdempotencyKeyReused = new(
        "idempotency_key_reused",
        StatusCodes.Status422UnprocessableEntity,
        "The idempotency key belongs to another request",
        "A key stands for one request and its body; take a new key for a new request."
    );

    public static readonly ProblemCode InputEmpty = new(
        "input_empty",
        StatusCodes.Status422UnprocessableEntity,
        "There are no lines",
        "A job needs at least one line of input."
    );

    public static readonly ProblemCode InputMalformed = new(
        "input_malformed",
        StatusCodes.Status400BadRequest,
        "The input can't be read as lines",
        "Its compression is broken, or it is not a file of lines at all."
    );

    public static readonly ProblemCode InputTooLarge = new(
        "input_too_large",
        StatusCodes.Status413PayloadTooLarge,
        "The input is too large",
        "Split the input into several jobs; the limit is Jobs:MaxInputBytes."
    );

    public static readonly ProblemCode InternalError = new(
        "internal_error",
        StatusCodes.Status500InternalServerError,
        "Something went wrong here",
        "The request was fine, the service was not; its log has the trace_id."
    );

    public static readonly ProblemCode JobCancelled = new(
        "job_cancelled",
        StatusCodes.Status409Conflict,
        "The job was cancelled while its lines arrived",
        "Somebody cancelled it, or it was taken for abandoned; submit it again."
    );

    public static readonly ProblemCode JobFailed = new(
        "job_failed",
        StatusCodes.Status502BadGateway,
        "The job could not be done",
        "The job as a whole failed or was cancelled before its outputs were there; detail says why."
    );

    public static readonly ProblemCode JobNotFound = new(
        "job_not_found",
        StatusCodes.Status404NotFound,
        "There is no such job",
        "The id is wrong, or the job's retention has passed."
    );

    public static readonly ProblemCode JobStateConflict = new(
        "job_state_conflict",
        StatusCodes.Status409Conflict,
        "The job's state does not allow that",
        "detail names the job's state and the states in which it can be done; GET /jobs/{id} shows the job."
    );

    public static readonly ProblemCode JobsLimitReached = Limit(
        LimitCodes.UnfinishedJobs,
        "The API key has as many unfinished jobs as it may"
    );

    public static readonly ProblemCode JsonMalformed = new(
        "json_malformed",
        StatusCodes.Status400BadRequest,
        "The body is not valid JSON",
        "detail names the place. Comments, trailing commas, repeated names and deep nesting are refused."
    );

    public static readonly ProblemCode KeyInvalid = new(
        "key_invalid",
        StatusCodes.Status401Unauthorized,
        "The API key is not valid",
        "The key that was sent is none of this service's."
    );

    public static readonly ProblemCode KeyMissing = new(
        "key_missing",
        StatusCodes.Status401Unauthorized,
        "An API key is needed",
        "Send it as 'Authorization: Bearer KEY' or as 'X-Api-Key: KEY'; browsers sign in at /login."
    );

    public static readonly ProblemCode LinesLimitReached = Limit(
        LimitCodes.LinesPerDay,
        "The API key has submitted its lines for the day"
    );

    public static readonly ProblemCode MediaTypeUnsupported = new(
        "media_type_unsupported",
        StatusCodes.Status415UnsupportedMediaType,
        "The body's media type is not supported",
        "expected lists the media types that are."
    );

    public static readonly ProblemCode MethodNotAllowed = new(
        "method_not_allowed",
        StatusCodes.Status405MethodNotAllowed,
        "This address does not take that method",
        "The Allow header lists the methods that it takes."
    );

    public static readonly ProblemCode ModelNotFound = new(
        "model_not_found",
        StatusCodes.Status404NotFound,
        "There is no such model",
        "GET /models lists the models."
    );

    public static readonly ProblemCode ModelUnknown = new(
        "model_unknown",
        StatusCodes.Status422UnprocessableEntity,
        "No such model is configured",
        "GET /models lists the models."
    );

    public static readonly ProblemCode MultipartMalformed = new(
        "multipart_malformed",
        StatusCodes.Status400BadRequest,
        "The form can't be read",
        "The body is not the multipart/form-data that its header announces."
    );

    public static readonly ProblemCode NotFound = new(
        "not_found",
        StatusCodes.Status404NotFound,
        "There is nothing at this address",
        "GET /openapi/v1.json lists the addresses."
    );

    public static readonly ProblemCode ParameterInvalid = new(
        "parameter_invalid",
        StatusCodes.Status422UnprocessableEntity,
        "A generation parameter is refused",
        "field names it; detail says what it may be."
    );

    public static readonly ProblemCode RateLimitReached = Limit(
        LimitCodes.SubmitsPerMinute,
        "The API key submits too often"
    );

    public static readonly ProblemCode RequestMalformed = new(
        "request_malformed",
        StatusCodes.Status400BadRequest,
        "The request can't be read",
        "detail says what is wrong with it."
    );

    public static readonly ProblemCode RequestRefused = new(
        "request_refused",
        StatusCodes.Status422UnprocessableEntity,
        "The request is refused",
        "The request was understood; detail says why it can't be done."
    );

    public static readonly ProblemCode RequestTimeout = new(
        "request_timeout",
        StatusCodes.Status408RequestTimeout,
        "The request came too slowly",
        "The body arrived below the lowest rate that is waited for; send it again."
    );

    public static readonly ProblemCode ScopeMissing = new(
        "scope_missing",
        StatusCodes.Status403Forbidden,
        "The API key may not do that",
        "expected names the scope that is needed; the operator issues keys, with seq2seq keys add."
    );

    public static readonly FrozenDictionary<string, ProblemCode> All = new[]
    {
        BodyTooLarge,
        BytesLimitReached,
        CrossSite,
        DatabaseUnavailable,
        EncodingInvalid,
        FieldAfterFile,
        FieldInvalid,
        FieldMissing,
        FieldUnknown,
        FormatUnknown,
        FormInvalid,
        GenerateTimeout,
        HostUnknown,
        IdempotencyKeyInFlight,
        IdempotencyKeyReused,
        InputEmpty,
        InputMalformed,
        InputTooLarge,
        InternalError,
        JobCancelled,
        JobFailed,
        JobNotFound,
        JobsLimitReached,
        JobStateConflict,
        JsonMalformed,
        KeyInvalid,
        KeyMissing,
        LinesLimitReached,
        MediaTypeUnsupported,
        MethodNotAllowed,
        ModelNotFound,
        ModelUnknown,
        MultipartMalformed,
        NotFound,
        ParameterInvalid,
        RateLimitReached,
        RequestMalformed,
        RequestRefused,
        RequestTimeout,
        ScopeMissing,
    }.ToFrozenDictionary(code => code.Code, StringComparer.Ordinal);

    private static ProblemCode Limit(string code, string title) =>
        new(
            code,
            StatusCodes.Status429TooManyRequests,
            title,
            "Nothing was stored. Try again after the time that Retry-After gives; the operator sets the limits."
        );

    /// <summary>The code for an answer that has only a status, such as routing's 405.</summary>
    public static ProblemCode OfStatus(int status) =>
        status switch
        {
            StatusCodes.Status404NotFound => NotFound,
            StatusCodes.Status405MethodNotAllowed => MethodNotAllowed,
            StatusCodes.Status408RequestTimeout => RequestTimeout,
            StatusCodes.Status413PayloadTooLarge => BodyTooLarge,
            StatusCodes.Status415UnsupportedMediaType => MediaTypeUnsupported,
            >= 500 => InternalError,
            _ => RequestMalformed,
        };
}
