using System.Diagnostics;
using Microsoft.AspNetCore.Diagnostics;

namespace Seq2Seq.Api.Requests;

/// <summary>
/// One line for each request: method, route, status, time. Never the address with its query, which may hold customers'
/// words. Probes that succeed are logged at debug level.
/// </summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> logger, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        long start = time.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            Log(context, time.GetElapsedTime(start).TotalMilliseconds);
        }
    }

    private void Log(HttpContext context, double milliseconds)
    {
        Endpoint? endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        string route = (endpoint as RouteEndpoint)?.RoutePattern.RawText ?? "(none)";
        int status = context.RequestAborted.IsCancellationRequested
            ? StatusCodes.Status499ClientClosedRequest
            : context.Response.StatusCode;
        LogLevel level = route is "/livez" or "/readyz" && status < 400 ? LogLevel.Debug : LogLevel.Information;
        if (logger.IsEnabled(level))
        {
            string? traceId = Activity.Current?.TraceId.ToHexString();
            LogAnswered(level, context.Request.Method, route, status, milliseconds, traceId);
        }
    }

    [LoggerMessage(EventId = 3000, Message = "{Method} {Route} answered {Status} in {Milliseconds:F1} ms ({TraceId})")]
    private partial void LogAnswered(
        LogLevel level,
        string method,
        string route,
        int status,
        double milliseconds,
        string? traceId
    );
}
