namespace Seq2Seq.Api.Requests;

/// <summary>
/// Headers that keep browsers strict: nothing is fetched from outside, framed, guessed at or cached. Hangfire's pages and the API
/// reference carry inline scripts and styles; ours do not.
/// </summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    private const string Ours =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private const string WithInline =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
        + "img-src 'self' data: blob:; font-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly PathString[] InlinePages = ["/hangfire", "/scalar"];

    public Task InvokeAsync(HttpContext context)
    {
        // Decided now, because Hangfire's pages move the path aside; written last of all, because an error answer starts with
        // cleared headers.
        bool inline = Array.Exists(
            InlinePages,
            page => context.Request.Path.StartsWithSegments(page, StringComparison.OrdinalIgnoreCase)
        );
        context.Response.OnStarting(() =>
        {
            Add(context.Response.Headers, inline);
            return Task.CompletedTask;
        });
        return next(context);
    }

    private static void Add(IHeaderDictionary headers, bool inline)
    {
        headers.ContentSecurityPolicy = inline ? WithInline : Ours;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = "no-store";
        }
    }
}
