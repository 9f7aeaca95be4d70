using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Scalar.AspNetCore;
using Seq2Seq.Api.Authentication;

namespace Seq2Seq.Api.OpenApi;

/// <summary>
/// The OpenAPI document at <c>/openapi/v1.json</c>, and Scalar's reference over it at <c>/scalar</c>, which fetches nothing from
/// outside this host.
/// </summary>
internal static class ApiDocument
{
    private const string Description = """
        Sequence-to-sequence jobs: submit texts or a file, follow the job, fetch its results in input order. Errors are problem
        details (RFC 9457) with a stable code; /problems lists the codes.
        """;

    public static IServiceCollection AddApiDocument(this IServiceCollection services) =>
        services.AddOpenApi(options =>
        {
            options.AddDocumentTransformer(Describe);
            options.AddOperationTransformer<ProblemResponses>();
        });

    public static void MapApiDocument(this IEndpointRouteBuilder app)
    {
        // Of other documents the framework would say in a line of text that there are none.
        app.MapOpenApi("/openapi/{documentName:regex(^v1$)}.json");
        app.MapScalarApiReference(options =>
            options
                .WithTitle("Seq2Seq Jobs API")
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent()
                .DisableMcp()
                .HideDeveloperTools()
                .HideClientButton()
        );
    }

    private static Task Describe(
        OpenApiDocument document,
        OpenApiDocumentTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        document.Info = new OpenApiInfo
        {
            Title = "Seq2Seq Jobs",
            Version = "1",
            Description = Description,
        };
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            ["bearer"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "An API key, where the service has any; without, only this machine may call.",
            },
            ["key"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = ApiKeyHandler.HeaderName,
                Description = "The same key in a header of its own.",
            },
        };
        document.Security =
        [
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("bearer", document)] = [] },
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("key", document)] = [] },
        ];
        return Task.CompletedTask;
    }
}
