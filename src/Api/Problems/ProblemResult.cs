namespace Seq2Seq.Api.Problems;

/// <summary>A handler's answer when it has a <see cref="Problem"/> instead of a result.</summary>
internal sealed class ProblemResult(Problem problem) : IResult, IStatusCodeHttpResult
{
    public const string ContentType = "application/problem+json";

    public Problem Problem { get; } = problem;

    public int? StatusCode => Problem.Status;

    public static ProblemResult Of(ProblemCode code, string? detail = null) => new(Problem.Of(code, detail));

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Problem.Status;
        return httpContext.Response.WriteAsJsonAsync(
            Problem,
            ApiJson.Web.Problem,
            ContentType,
            httpContext.RequestAborted
        );
    }
}
