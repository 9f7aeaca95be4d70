namespace Seq2Seq.Api.Problems;

/// <summary>
/// Endpoint metadata: how a group of endpoints writes a <see cref="Problem"/>. Pages and compatible dialects have their own
/// shape; without this it is problem+json.
/// </summary>
internal sealed record ErrorShape(Func<HttpContext, Problem, IResult> ToResult)
{
    /// <summary>Writes a problem in the shape of the endpoint that was meant, if one was.</summary>
    public static Task WriteAsync(HttpContext context, Endpoint? endpoint, Problem problem)
    {
        ErrorShape? shape = endpoint?.Metadata.GetMetadata<ErrorShape>();
        IResult result = shape?.ToResult(context, problem) ?? new ProblemResult(problem);
        return result.ExecuteAsync(context);
    }

    /// <summary>Gives a body to an answer that has only a status (unknown address, method not allowed, …).</summary>
    public static Task WriteStatusAsync(HttpContext context)
    {
        ProblemCode code = ProblemCodes.OfStatus(context.Response.StatusCode);
        Problem problem = Problem.Of(code) with { Status = context.Response.StatusCode };
        if (code == ProblemCodes.MethodNotAllowed)
        {
            problem = problem with
            {
                Found = context.Request.Method,
                Expected = context.Response.Headers.Allow.ToString(),
            };
        }

        return WriteAsync(context, context.GetEndpoint(), problem);
    }
}
