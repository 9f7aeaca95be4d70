using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api.OpenApi;

/// <summary>Endpoint metadata: statuses of the problems that an endpoint answers, besides those that all share.</summary>
internal sealed record RefusedWith(IReadOnlyList<int> Statuses);

/// <summary>Gives every operation its problem responses, with an example of each code that goes with the status.</summary>
internal sealed class ProblemResponses : IOpenApiOperationTransformer
{
    private static readonly int[] Shared =
    [
        StatusCodes.Status401Unauthorized,
        StatusCodes.Status403Forbidden,
        StatusCodes.Status500InternalServerError,
        StatusCodes.Status503ServiceUnavailable,
    ];

    public async Task TransformAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        IList<object> metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<IAllowAnonymous>().Any())
        {
            operation.Security = [];
            return;
        }

        IEnumerable<int> own = metadata.OfType<RefusedWith>().SelectMany(refused => refused.Statuses);
        OpenApiSchema schema = await context.GetOrCreateSchemaAsync(
            typeof(Problem),
            parameterDescription: null,
            cancellationToken
        );
        context.Document?.AddComponent(nameof(Problem), schema);
        operation.Responses ??= [];
        foreach (int status in own.Concat(Shared).Distinct())
        {
            operation.Responses[status.ToString(CultureInfo.InvariantCulture)] = Response(status, context.Document);
        }
    }

    private static OpenApiResponse Response(int status, OpenApiDocument? document)
    {
        ProblemCode[] codes =
        [
            .. ProblemCodes
                .All.Values.Where(code => code.Status == status)
                .OrderBy(code => code.Code, StringComparer.Ordinal),
        ];
        return new OpenApiResponse
        {
            Description = string.Join(", ", codes.Select(code => code.Code)),
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                [ProblemResult.ContentType] = new OpenApiMediaType
                {
                    Schema = new OpenApiSchemaReference(nameof(Problem), document),
                    Examples = codes.ToDictionary(code => code.Code, Example, StringComparer.Ordinal),
                },
            },
        };
    }

    private static IOpenApiExample Example(ProblemCode code) =>
        new OpenApiExample
        {
            Summary = code.Title,
            Value = JsonSerializer.SerializeToNode(Problem.Of(code) with { TraceId = null }, ApiJson.Web.Problem),
        };
}
