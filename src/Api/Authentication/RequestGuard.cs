using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api.Authentication;

/// <summary>
/// Keeps pages of other sites from using a visitor's browser against this service. A name that a stranger's name server
/// leads to loopback is refused by host (DNS rebinding); a form or script of another origin is refused by what the browser says of it
/// (Sec-Fetch-Site, else Origin), unless it carries a key in a header.
/// </summary>
internal sealed class RequestGuard(RequestDelegate next, IOptionsMonitor<AccessOptions> access, ApiKeys keys)
{
    private static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "[::1]"];

    public async Task InvokeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        AccessOptions options = access.CurrentValue;
        if (!await keys.AnyAsync(context.RequestAborted) && !IsServed(request.Host.Host, options))
        {
            string expected = string.Join(", ", LoopbackNames.Concat(options.Hosts));
            await Refuse(
                context,
                Problem.Of(ProblemCodes.HostUnknown) with
                {
                    Field = HeaderNames.Host,
                    Found = request.Host.Host.Length <= 100 ? request.Host.Host : request.Host.Host[..100],
                    Expected = expected,
                }
            );
            return;
        }

        await (
            IsSafe(request.Method) || ApiKeyHandler.HasKey(request) || IsSameOrigin(request)
                ? next(context)
                : Refuse(context, Problem.Of(ProblemCodes.CrossSite))
        );
    }

    /// <summary>Whether a method only looks.</summary>
    public static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    private static bool IsServed(string host, AccessOptions options) =>
        LocalConnection.IsLoopbackName(host.Trim('[', ']'))
        || options.Hosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    private static bool IsSameOrigin(HttpRequest request)
    {
        string site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0)
        {
            return site is "same-origin" or "none";
        }

        string origin = request.Headers.Origin.ToString();
        // A proxy may end TLS, so the schemes may differ; host and port may not.
        return origin.Length == 0
            || (
                Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
                && uri.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)
            );
    }

    private static Task Refuse(HttpContext context, Problem problem) =>
        ErrorShape.WriteAsync(context, context.GetEndpoint(), problem);
}
