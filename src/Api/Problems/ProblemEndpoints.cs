using Microsoft.AspNetCore.Http.HttpResults;

namespace Seq2Seq.Api.Problems;

/// <summary><c>GET /problems</c>: the meaning of every code, where a problem's <c>type</c> leads.</summary>
internal static class ProblemEndpoints
{
    public static void MapProblems(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder group = app.MapGroup("/problems").WithTags("Problems").AllowAnonymous();
        group.MapGet("/", List).WithName("ListProblems").WithSummary("List the error codes");
        group.MapGet("/{code}", Get).WithName("GetProblem").WithSummary("Explain one error code");
    }

    /// <summary>Every stable code that an error answer may carry.</summary>
    private static Ok<ProblemMeaning[]> List() =>
        TypedResults.Ok(
            ProblemCodes
                .All.Values.OrderBy(code => code.Code, StringComparer.Ordinal)
                .Select(ProblemMeaning.Of)
                .ToArray()
        );

    private static Results<Ok<ProblemMeaning>, ProblemResult> Get(string code) =>
        ProblemCodes.All.TryGetValue(code, out ProblemCode? found)
            ? TypedResults.Ok(ProblemMeaning.Of(found))
            : ProblemResult.Of(ProblemCodes.NotFound);
}

/// <summary>What a code stands for.</summary>
internal sealed record ProblemMeaning(string Code, int Status, string Title, string Meaning)
{
    public static ProblemMeaning Of(ProblemCode code) => new(code.Code, code.Status, code.Title, code.Meaning);
}
