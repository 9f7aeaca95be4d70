using System.ComponentModel;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Results;

namespace Seq2Seq.Api.Jobs;

/// <summary>
/// <c>GET /jobs/{id}/results</c>: the results in input order, also while the job runs. How far an answer goes is decided before its
/// first byte, so that its headers can say which line comes next and whether that was all.
/// </summary>
internal static class JobResults
{
    /// <summary>The line to ask for next, as <c>from</c>.</summary>
    public const string NextLineHeader = "Seq2Seq-Next-Line";

    /// <summary>Whether nothing is left after this answer: <c>true</c> when the job has finished and its last result is in here.</summary>
    public const string CompleteHeader = "Seq2Seq-Complete";

    /// <summary>The job's state when the answer began.</summary>
    public const string StateHeader = "Seq2Seq-Job-State";

    /// <summary>
    /// The lines that are ready, in input order, from line <c>from</c> on. Repeat with the number in Seq2Seq-Next-Line until
    /// Seq2Seq-Complete is true.
    /// </summary>
    public static async Task<Results<PushStreamHttpResult, StatusCodeHttpResult>> HandleAsync(
        HttpContext context,
        RequestedJob requested,
        ResultReader results,
        [FromQuery, Description("jsonl, csv or text; without it, Accept decides.")] string? format,
        [FromQuery, Description("The first line wanted, from 0.")] string? from,
        CancellationToken cancellationToken
    )
    {
        IResultFormat chosen = Choose(format, context.Request);
        long first = RequestText.Integer(from, "from", 0, long.MaxValue) ?? 0;
        // The state was read before the lines are counted: a job seen as finished has no lines to come.
        Job job = requested.Job;
        long ready = await results.CountReadyAsync(job.Id, cancellationToken) ?? 0;
        long next = Math.Max(first, ready);
        IHeaderDictionary headers = context.Response.Headers;
        headers[NextLineHeader] = next.ToString(CultureInfo.InvariantCulture);
        headers[CompleteHeader] = job.FinishedAt is null ? "false" : "true";
        headers[StateHeader] = JobResource.StateName(job.State);
        headers.ContentDisposition = new ContentDispositionHeaderValue("inline")
        {
            FileName = $"{job.Id}{chosen.Extension}",
        }.ToString();
        headers.Vary = HeaderNames.Accept;
        if (EntityTag.IsKnown(context, TagOf(job, chosen, first, next)))
        {
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        }

        return TypedResults.Stream(
            stream =>
                chosen.WriteAsync(
                    Until(results.ReadAsync(job.Id, first, cancellationToken), ready, cancellationToken),
                    stream,
                    cancellationToken
                ),
            chosen.ContentType
        );
    }

    // Results change when lines get one, and when a retry gives them another.
    private static EntityTagHeaderValue TagOf(Job job, IResultFormat format, long first, long next) =>
        EntityTag.Of(
            Encoding.UTF8.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{job.Id} {job.Run} {job.State} {job.LinesDone} {job.LinesFailed} {format.Name} {first} {next}"
                )
            )
        );

    private static IResultFormat Choose(string? format, HttpRequest request)
    {
        string names = string.Join(", ", ResultFormats.All.Select(known => known.Name));
        if (format is not null)
        {
            return ResultFormats.All.FirstOrDefault(known => known.Name == format)
                ?? throw new RequestException(ProblemCodes.FormatUnknown, $"format is {format}; expected {names}.")
                {
                    Field = "format",
                    Found = format,
                    Expected = names,
                };
        }

        string accept = request.Headers.Accept.ToString();
        if (accept.Length == 0)
        {
            return ResultFormats.All[0];
        }

        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out IList<MediaTypeHeaderValue>? wanted))
        {
            wanted = [];
        }

        return wanted
                .Where(type => type.Quality is null or > 0)
                .OrderByDescending(type => type.Quality ?? 1)
                .Select(type =>
                    ResultFormats.All.FirstOrDefault(known =>
                        MediaTypeHeaderValue
                            .Parse(known.ContentType)
                            .MediaType.Equals(type.MediaType, StringComparison.OrdinalIgnoreCase)
                        || type.MatchesAllTypes
                        || (
                            type.MatchesAllSubTypes
                            && known.ContentType.StartsWith($"{type.Type}/", StringComparison.OrdinalIgnoreCase)
                        )
                    )
                )
                .FirstOrDefault(match => match is not null)
            ?? throw new RequestException(ProblemCodes.FormatUnknown, $"Accept is {accept}; no format has that type.")
            {
                Field = "Accept",
                Found = accept.Length <= 100 ? accept : accept[..100],
                Expected = string.Join(", ", ResultFormats.All.Select(known => known.ContentType)),
            };
    }

    private static async IAsyncEnumerable<LineResult> Until(
        IAsyncEnumerable<LineResult> results,
        long end,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (LineResult result in results.WithCancellation(cancellationToken))
        {
            if (result.Line >= end)
            {
                yield break;
            }

            yield return result;
        }
    }
}
