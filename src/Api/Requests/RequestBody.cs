using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api.Requests;

/// <summary>What a request says of its body, checked before a byte of it is read, and the small forms of pages.</summary>
internal static class RequestBody
{
    private const long MostFormBytes = 64 * 1024;

    /// <summary>The media type of the body; refused when there is none, or a character set other than UTF-8.</summary>
    public static MediaTypeHeaderValue MediaType(HttpRequest request, string expected)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type))
        {
            throw Unsupported("Content-Type", request.ContentType ?? "nothing", expected);
        }

        RefuseOtherCharset(type, "Content-Type");
        return type;
    }

    /// <summary>Refuses a body that is packed in another way than these, by its header.</summary>
    public static void RefuseEncoding(HttpRequest request, params string[] known)
    {
        string encoding = request.Headers.ContentEncoding.ToString();
        if (encoding.Length > 0 && !known.Contains(encoding, StringComparer.OrdinalIgnoreCase))
        {
            string expected = known.Length == 0 ? "no content encoding" : string.Join(", ", known);
            throw Unsupported("Content-Encoding", encoding, expected);
        }
    }

    public static void Require(HttpRequest request, string mediaType)
    {
        RefuseEncoding(request);
        if (!MediaType(request, mediaType).MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase))
        {
            throw Unsupported("Content-Type", request.ContentType!, mediaType);
        }
    }

    public static void RefuseOtherCharset(MediaTypeHeaderValue type, string field)
    {
        string charset = HeaderUtilities.RemoveQuotes(type.Charset).ToString();
        if (
            charset.Length > 0
            && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            && !charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase)
        )
        {
            throw Unsupported(field, type.ToString(), "charset=utf-8");
        }
    }

    public static RequestException Unsupported(string field, string found, string expected) =>
        new(ProblemCodes.MediaTypeUnsupported, $"{field} is {found}; expected {expected}.")
        {
            Field = field,
            Found = found,
            Expected = expected,
        };

    /// <summary>Refuses query parameters where every field stands in the body.</summary>
    public static void RefuseQuery(HttpRequest request)
    {
        foreach (string name in request.Query.Keys)
        {
            throw RequestException.Unknown(name, ["no query parameters: with this body, fields stand in the body"]);
        }
    }

    /// <summary>Sets the most bytes that this request's body may have; the server refuses a longer one while it arrives.</summary>
    public static void Limit(HttpRequest request, long bytes)
    {
        IHttpMaxRequestBodySizeFeature? limit = request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (limit is { IsReadOnly: false })
        {
            limit.MaxRequestBodySize = bytes;
        }
    }

    /// <summary>Reads the form that a page has sent; a request without a body has an empty one.</summary>
    /// <exception cref="RequestException">The body is no form, or can't be read as one.</exception>
    public static async Task<IFormCollection> ReadFormAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType)
        {
            return request.ContentType is null
                ? request.Form = FormCollection.Empty
                : throw Unsupported("Content-Type", request.ContentType, "application/x-www-form-urlencoded");
        }

        Limit(request, MostFormBytes);
        try
        {
            return await request.ReadFormAsync(cancellationToken);
        }
        catch (Exception exception) when (IsMalformedForm(exception))
        {
            throw new RequestException(ProblemCodes.RequestMalformed, exception.Message, exception);
        }
    }

    /// <summary>Whether an exception of a form's reader means that the form is broken, not the connection.</summary>
    public static bool IsMalformedForm(Exception exception) =>
        exception is InvalidDataException or IOException and not BadHttpRequestException;
}
