using System.Globalization;
using System.Text.Json;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api.Requests;

/// <summary>Reads a JSON body: bounded in size and depth, no repeated names, no comments.</summary>
internal static class RequestJson
{
    /// <summary>Most bytes of a JSON body; larger inputs go as files, which are streamed.</summary>
    public const long MaxBytes = 32 * 1024 * 1024;

    /// <summary>Deep enough for every body of this API.</summary>
    public const int MaxDepth = 16;

    private static readonly JsonDocumentOptions Options = new()
    {
        MaxDepth = MaxDepth,
        AllowDuplicateProperties = false,
    };

    public static async Task<JsonDocument> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        RequestBody.Require(request, "application/json");
        RequestBody.Limit(request, MaxBytes);
        try
        {
            return await JsonDocument.ParseAsync(request.Body, Options, cancellationToken);
        }
        catch (JsonException exception)
        {
            throw Malformed(exception, "body");
        }
    }

    /// <summary>Parses a JSON value that came as text in a form field or a query parameter.</summary>
    public static JsonElement Parse(string text, string field)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Options);
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw Malformed(exception, field);
        }
    }

    private static RequestException Malformed(JsonException exception, string field)
    {
        string place =
            exception.LineNumber is { } line && exception.BytePositionInLine is { } position
                ? string.Create(CultureInfo.InvariantCulture, $" at line {line + 1}, byte {position + 1}")
                : "";
        // The reader's message repeats pieces of the input only as single characters or names.
        string reason = exception.Message.Split(" LineNumber:", 2)[0].TrimEnd();
        return new RequestException(
            ProblemCodes.JsonMalformed,
            $"{field} is not valid JSON{place}: {reason}",
            exception
        )
        {
            Field = field,
            Expected = "valid JSON",
        };
    }
}
