using Microsoft.Net.Http.Headers;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Jobs;

/// <summary>
/// Which format an input has: as the caller says, else by the file's name, else by its media type. The name comes first
/// because many clients send every text file as <c>text/plain</c>.
/// </summary>
internal static class InputFormatChoice
{
    /// <summary>Media types that a body may have, for messages.</summary>
    public static string Bodies => $"application/json, multipart/form-data, {Files}";

    private static string Extensions => string.Join(", ", InputFormats.All.SelectMany(format => format.Extensions));

    private static string Files => string.Join(", ", InputFormats.All.SelectMany(format => format.ContentTypes));

    public static IInputFormat Choose(string? name, string? fileName, string? contentType)
    {
        if (name is not null)
        {
            return InputFormats.All.FirstOrDefault(format => format.Name == name)
                ?? throw RequestException.Invalid(
                    "format",
                    name,
                    $"one of {string.Join(", ", InputFormats.All.Select(format => format.Name))}"
                );
        }

        string extension = ExtensionOf(fileName ?? "");
        return InputFormats.All.FirstOrDefault(format =>
                format.Extensions.Contains(extension, StringComparer.OrdinalIgnoreCase)
            )
            ?? OfContentType(contentType)
            ?? throw RequestBody.Unsupported(
                "Content-Type",
                contentType ?? "nothing",
                fileName is null ? Bodies : $"{Files}, a file name that ends in {Extensions}, or a format"
            );
    }

    // What a file is packed with is told by its first bytes.
    private static string ExtensionOf(string fileName)
    {
        string extension = Path.GetExtension(fileName);
        return extension.ToLowerInvariant() is ".gz" or ".zst"
            ? Path.GetExtension(Path.GetFileNameWithoutExtension(fileName))
            : extension;
    }

    private static IInputFormat? OfContentType(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type)
            ? InputFormats.All.FirstOrDefault(format =>
                format.ContentTypes.Contains(type.MediaType.ToString(), StringComparer.OrdinalIgnoreCase)
            )
            : null;
}
