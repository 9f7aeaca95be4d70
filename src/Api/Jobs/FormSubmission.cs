using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Jobs;

/// <summary>
/// A job from <c>multipart/form-data</c>: fields, then one part named <c>file</c>, which is read as it arrives and never kept.
/// What follows the file is refused, because the job is being stored by then.
/// </summary>
internal static class FormSubmission
{
    private const string FileField = "file";
    private const int LongestBoundary = 70; // RFC 2046, section 5.1.1
    private const int LongestField = 64 * 1024;
    private const int MostFields = 16;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static async Task<Submission> ReadAsync(
        HttpRequest request,
        MediaTypeHeaderValue type,
        long mostBytes,
        CancellationToken cancellationToken
    )
    {
        RequestBody.RefuseEncoding(request);
        RequestBody.RefuseQuery(request);
        RequestBody.Limit(request, mostBytes);
        string boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
        if (boundary.Length is 0 or > LongestBoundary)
        {
            throw Malformed("Content-Type has no boundary of 1 to 70 characters.", null);
        }

        var reader = new MultipartReader(boundary, request.Body);
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await NextAsync(reader, cancellationToken) is { } section)
        {
            ContentDispositionHeaderValue disposition = DispositionOf(section);
            string name = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
            if (name == FileField)
            {
                return Begin(request, fields, reader, section, disposition, cancellationToken);
            }

            if (
                fields.Count == MostFields
                || !fields.TryAdd(name, await ReadFieldAsync(section, name, cancellationToken))
            )
            {
                throw RequestException.Invalid(name, "given more than once", "each field once");
            }
        }

        // Fields that are wrong by themselves are the better thing to say.
        _ = SubmissionReader.Read(RequestObject.OfText(fields), SubmissionReader.UsualPriority, idempotencyKey: null);
        throw RequestException.Missing(FileField, "a file part, after the other fields");
    }

    private static Submission Begin(
        HttpRequest request,
        Dictionary<string, string> fields,
        MultipartReader reader,
        MultipartSection section,
        ContentDispositionHeaderValue disposition,
        CancellationToken cancellationToken
    )
    {
        RequestObject form = RequestObject.OfText(fields);
        JobRequest job = SubmissionReader.Read(
            form,
            SubmissionReader.UsualPriority,
            SubmissionReader.ReadIdempotencyKey(request)
        );
        if (MediaTypeHeaderValue.TryParse(section.ContentType, out MediaTypeHeaderValue? type))
        {
            RequestBody.RefuseOtherCharset(type, FileField);
        }

        string fileName = HeaderUtilities.RemoveQuotes(disposition.FileName).ToString();
        IInputFormat format = InputFormatChoice.Choose(form.TakeString("format"), fileName, section.ContentType);
        form.RefuseOthers();
        return new Submission(job, ReadLinesAsync(format, reader, section, cancellationToken));
    }

    private static async IAsyncEnumerable<SourceLine> ReadLinesAsync(
        IInputFormat format,
        MultipartReader reader,
        MultipartSection section,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (SourceLine line in format.ReadAsync(section.Body, cancellationToken))
        {
            yield return line;
        }

        if (await NextAsync(reader, cancellationToken) is { } late)
        {
            string name = HeaderUtilities.RemoveQuotes(DispositionOf(late).Name).ToString();
            throw new RequestException(
                ProblemCodes.FieldAfterFile,
                $"The field {name} came after the file; put the file last."
            )
            {
                Field = name,
                Expected = "the file as the last part",
            };
        }
    }

    private static async Task<MultipartSection?> NextAsync(MultipartReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancellationToken);
        }
        catch (Exception exception) when (RequestBody.IsMalformedForm(exception))
        {
            throw Malformed(exception.Message, exception);
        }
    }

    public static RequestException Malformed(string detail, Exception? cause) =>
        new(ProblemCodes.MultipartMalformed, detail, cause);

    private static ContentDispositionHeaderValue DispositionOf(MultipartSection section) =>
        ContentDispositionHeaderValue.TryParse(
            section.ContentDisposition,
            out ContentDispositionHeaderValue? disposition
        ) && disposition.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase)
            ? disposition
            : throw Malformed("A part has no Content-Disposition: form-data with a name.", null);

    private static async Task<string> ReadFieldAsync(
        MultipartSection section,
        string name,
        CancellationToken cancellationToken
    )
    {
        byte[] buffer = new byte[LongestField + 1];
        try
        {
            int length = await section.Body.ReadAtLeastAsync(
                buffer,
                buffer.Length,
                throwOnEndOfStream: false,
                cancellationToken
            );
            return length <= LongestField
                ? StrictUtf8.GetString(buffer, 0, length)
                : throw RequestException.Invalid(name, "a longer text", $"at most {LongestField} bytes");
        }
        catch (DecoderFallbackException exception)
        {
            throw new RequestException(
                ProblemCodes.EncodingInvalid,
                $"{name} holds text that is not valid UTF-8.",
                exception
            )
            {
                Field = name,
                Expected = "valid UTF-8",
            };
        }
        catch (Exception exception) when (RequestBody.IsMalformedForm(exception))
        {
            throw Malformed(exception.Message, exception);
        }
    }
}
