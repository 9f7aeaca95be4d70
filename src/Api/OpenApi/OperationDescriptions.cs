using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Seq2Seq.Api.Generate;
using Seq2Seq.Api.Jobs;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.OpenApi;

/// <summary>What the document says of bodies that handlers read or write themselves, as streams.</summary>
internal static class OperationDescriptions
{
    private const string SubmissionExample = """
        {
          "model": "english-tts",
          "name": "greetings",
          "inputs": ["hello", { "custom_id": "w2", "text": "world" }],
          "parameters": { "num_beams": 4, "max_new_tokens": 64 }
        }
        """;

    private const string GenerateExample = """
        { "model": "english-tts", "inputs": ["hello", "world"], "parameters": { "num_beams": 1 } }
        """;

    /// <summary>States which problem statuses an endpoint has of its own.</summary>
    public static TBuilder RefusesWith<TBuilder>(this TBuilder builder, params int[] statuses)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RefusedWith(statuses));

    /// <summary>Describes the parameter that <see cref="RequestedJob"/> reads.</summary>
    public static RouteGroupBuilder DescribeJobId(this RouteGroupBuilder group) =>
        group.AddOpenApiOperationTransformer(
            (operation, _, _) =>
            {
                operation.Parameters ??= [];
                operation.Parameters.Insert(
                    0,
                    new OpenApiParameter
                    {
                        Name = RequestedJob.RouteParameter,
                        In = ParameterLocation.Path,
                        Required = true,
                        Description = "The job.",
                        Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" },
                    }
                );
                return Task.CompletedTask;
            }
        );

    /// <summary>Describes a JSON body that a handler reads itself.</summary>
    public static RouteHandlerBuilder DescribeBody<TBody>(this RouteHandlerBuilder builder, string example) =>
        builder.AddOpenApiOperationTransformer(
            async (operation, context, cancellationToken) =>
                operation.RequestBody = new OpenApiRequestBody
                {
                    Required = true,
                    Content = Content(
                        "application/json",
                        await context.GetOrCreateSchemaAsync(typeof(TBody), null, cancellationToken),
                        example
                    ),
                }
        );

    public static RouteHandlerBuilder DescribeSubmit(this RouteHandlerBuilder builder) =>
        builder
            .WithSummary("Submit a job")
            .WithDescription(
                """
                As JSON with the lines in it (up to 32 MB), as a form whose last part is the file, or as the file itself with the other
                fields in the query. Files are read as they arrive, up to 512 MB unless configured otherwise. The job is durable when
                202 is answered. With an Idempotency-Key, repeating the request gives the same job.
                """
            )
            .RefusesWith(400, 409, 413, 415, 422, 429)
            .AddOpenApiOperationTransformer(DescribeSubmit);

    public static RouteHandlerBuilder DescribeGenerate(this RouteHandlerBuilder builder) =>
        builder
            .RefusesWith(400, 409, 413, 415, 422, 429, 502, 504)
            .DescribeBody<GenerateRequest>(GenerateExample)
            .AddOpenApiOperationTransformer(
                (operation, _, _) =>
                {
                    AddIdempotencyKey(operation);
                    return Task.CompletedTask;
                }
            );

    public static RouteHandlerBuilder DescribeEvents(this RouteHandlerBuilder builder) =>
        builder
            .WithSummary("Follow a job's progress")
            .AddOpenApiOperationTransformer(
                async (operation, context, cancellationToken) =>
                {
                    operation.Parameters ??= [];
                    operation.Parameters.Add(
                        new OpenApiParameter
                        {
                            Name = JobEvents.LastSeenHeader,
                            In = ParameterLocation.Header,
                            Description = "The id of the last event that was seen: the next one is the next change.",
                            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                        }
                    );
                    operation.Responses ??= [];
                    operation.Responses["200"] = new OpenApiResponse
                    {
                        Description = "Events named progress, and at the end finished; the data of each is the job.",
                        Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
                        {
                            ["text/event-stream"] = new()
                            {
                                Schema = await context.GetOrCreateSchemaAsync(
                                    typeof(JobResource),
                                    null,
                                    cancellationToken
                                ),
                            },
                        },
                    };
                    operation.Responses["204"] = new OpenApiResponse
                    {
                        Description = "The job has ended, and the caller has seen it: do not come back.",
                    };
                }
            );

    public static RouteHandlerBuilder DescribeResults(this RouteHandlerBuilder builder) =>
        builder
            .WithSummary("Fetch results")
            .WithDescription(
                $"""
                The lines that are ready, in input order, from line `from` on; also while the job runs. Repeat with the number in
                {JobResults.NextLineHeader} until {JobResults.CompleteHeader} is true. The result of a line that was cut, as the parameter
                long_lines may ask, has `truncated`, `source_tokens` and `kept_tokens` (JSON Lines and CSV).
                """
            )
            .AddOpenApiOperationTransformer(
                (operation, _, _) =>
                {
                    operation.Responses ??= [];
                    operation.Responses["200"] = new OpenApiResponse
                    {
                        Description = "One result a line (JSON Lines), a record (CSV) or a text (best output only).",
                        Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal)
                        {
                            [JobResults.NextLineHeader] = Header(
                                "The line to ask for next, as from.",
                                JsonSchemaType.Integer
                            ),
                            [JobResults.CompleteHeader] = Header(
                                "Whether nothing is left after this answer.",
                                JsonSchemaType.Boolean
                            ),
                            [JobResults.StateHeader] = Header(
                                "The job's state when the answer began.",
                                JsonSchemaType.String
                            ),
                        },
                        Content = ResultFormats.All.ToDictionary(
                            format => format.ContentType,
                            _ => new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
                            StringComparer.Ordinal
                        ),
                    };
                    operation.Responses["304"] = new OpenApiResponse { Description = "As If-None-Match names them." };
                    return Task.CompletedTask;
                }
            );

    private static async Task DescribeSubmit(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        AddIdempotencyKey(operation);
        OpenApiSchema submission = await context.GetOrCreateSchemaAsync(typeof(JobSubmission), null, cancellationToken);
        Dictionary<string, OpenApiMediaType> content = Content("application/json", submission, SubmissionExample);
        content["multipart/form-data"] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "The fields, then one part named file.",
                Required = new HashSet<string>(StringComparer.Ordinal) { "model", "file" },
                Properties = FormFields(),
            },
        };
        foreach (string type in InputFormats.All.SelectMany(format => format.ContentTypes))
        {
            content[type] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Description = "The lines themselves; model and the other fields stand in the query.",
                },
            };
        }

        operation.RequestBody = new OpenApiRequestBody { Required = true, Content = content };
        operation.Parameters ??= [];
        foreach ((string name, IOpenApiSchema schema) in FormFields().Where(field => field.Key != "file"))
        {
            operation.Parameters.Add(
                new OpenApiParameter
                {
                    Name = name,
                    In = ParameterLocation.Query,
                    Description = $"Only where the body is the file itself. {schema.Description}",
                    Schema = new OpenApiSchema { Type = schema.Type },
                }
            );
        }
    }

    private static Dictionary<string, IOpenApiSchema> FormFields() =>
        new(StringComparer.Ordinal)
        {
            ["model"] = Field(JsonSchemaType.String, "Name of a configured model."),
            ["name"] = Field(JsonSchemaType.String, "A name for people, at most 200 characters."),
            ["priority"] = Field(JsonSchemaType.Integer, "0 (first) to 9 (last); 5 when absent."),
            ["parameters"] = Field(JsonSchemaType.String, "Generation parameters as a JSON object."),
            ["retention_seconds"] = Field(
                JsonSchemaType.Integer,
                "How long results are kept after the job has finished."
            ),
            ["start_at"] = Field(JsonSchemaType.String, "No line is computed earlier, such as 2026-01-31T18:00:00Z."),
            ["deadline"] = Field(
                JsonSchemaType.String,
                "If the job has not finished by then, it fails and keeps the results it has."
            ),
            ["webhook"] = Field(
                JsonSchemaType.String,
                "Where to say that the job has ended: a JSON object with url and, if you like, secret."
            ),
            ["format"] = Field(
                JsonSchemaType.String,
                $"{string.Join(", ", InputFormats.All.Select(format => format.Name))}; without it, the file's name or media type decides."
            ),
            ["file"] = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Format = "binary",
                Description = "The lines.",
            },
        };

    private static void AddIdempotencyKey(OpenApiOperation operation)
    {
        operation.Parameters ??= [];
        operation.Parameters.Add(
            new OpenApiParameter
            {
                Name = SubmissionReader.IdempotencyKeyHeader,
                In = ParameterLocation.Header,
                Description =
                    "Repeating the request with the same key gives the same job; another request with it is refused.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 255 },
            }
        );
    }

    private static Dictionary<string, OpenApiMediaType> Content(string type, OpenApiSchema schema, string example) =>
        new(StringComparer.Ordinal)
        {
            [type] = new OpenApiMediaType { Schema = schema, Example = JsonNode.Parse(example) },
        };

    private static OpenApiSchema Field(JsonSchemaType type, string description) =>
        new() { Type = type, Description = description };

    private static OpenApiHeader Header(string description, JsonSchemaType type) =>
        new()
        {
            Description = description,
            Schema = new OpenApiSchema { Type = type },
        };
}
