using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.AspNetCore.Diagnostics;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Problems;

/// <summary>Answers every exception as a <see cref="Problem"/>: the caller's mistakes by name, the service's without its insides.</summary>
internal sealed partial class ProblemExceptionHandler(ILogger<ProblemExceptionHandler> logger) : IExceptionHandler
{
    private const int RetryAfterSeconds = 2;

    public async ValueTask<bool> TryHandleAsync(
        HttpContext httpContext,
        Exception exception,
        CancellationToken cancellationToken
    )
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
        {
            // Nobody reads the answer; the status is for the request log.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        Problem problem = Describe(exception);
        if (problem.Status >= StatusCodes.Status500InternalServerError)
        {
            LogFailed(exception, httpContext.Request.Method, Route(httpContext), problem.Code);
        }

        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            httpContext.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        }
        else if (exception is LimitExceededException limit)
        {
            double seconds = Math.Max(1, Math.Ceiling(limit.RetryAfter.TotalSeconds));
            httpContext.Response.Headers.RetryAfter = seconds.ToString("F0", CultureInfo.InvariantCulture);
        }

        Endpoint? endpoint = httpContext.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        await ErrorShape.WriteAsync(httpContext, endpoint, problem);
        return true;
    }

    internal static Problem Describe(Exception exception) =>
        exception switch
        {
            RequestException request => request.ToProblem(),
            SubmissionException refused => Refused(refused),
            LimitExceededException limit => Problem.Of(ProblemCodes.All[limit.Code], limit.Message),
            JobStateException conflict => Problem.Of(ProblemCodes.JobStateConflict, conflict.Message),
            GenerationParametersException parameter => Problem.Of(ProblemCodes.ParameterInvalid, parameter.Message) with
            {
                Field = $"parameters.{parameter.Parameter}",
                Found = parameter.Found,
                Expected = parameter.Expected,
            },
            BadHttpRequestException bad => Problem.Of(ProblemCodes.OfStatus(bad.StatusCode), bad.Message) with
            {
                Status = bad.StatusCode,
            },
            DbException { IsTransient: true } => Problem.Of(ProblemCodes.DatabaseUnavailable),
            DbException { InnerException: SocketException or IOException or TimeoutException } => Problem.Of(
                ProblemCodes.DatabaseUnavailable
            ),
            _ => Problem.Of(ProblemCodes.InternalError),
        };

    private static Problem Refused(SubmissionException refused)
    {
        ProblemCode code = ProblemCodes.All.GetValueOrDefault(refused.Code, ProblemCodes.RequestRefused);
        return Problem.Of(code, refused.Message) with
        {
            Code = refused.Code,
            Field = refused.Field,
            Found = refused.Found,
            Expected = refused.Expected,
        };
    }

    private static string Route(HttpContext context) =>
        (context.Features.Get<IExceptionHandlerFeature>()?.Endpoint as RouteEndpoint)?.RoutePattern.RawText ?? "-";

    [LoggerMessage(EventId = 3001, Level = LogLevel.Error, Message = "{Method} {Route} failed ({Code})")]
    private partial void LogFailed(Exception exception, string method, string route, string code);
}
