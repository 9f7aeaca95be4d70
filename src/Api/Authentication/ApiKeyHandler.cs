using System.Data.Common;
using System.Runtime.ExceptionServices;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api.Authentication;

/// <summary>
/// Authenticates by <c>Authorization: Bearer</c> or <c>X-Api-Key</c>. While no key is configured, callers on this machine need
/// none. Strangers get a problem; browsers that asked for a page get the login page.
/// </summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    ApiKeys keys
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string HeaderName = "X-Api-Key";

    private const string Bearer = "Bearer ";

    /// <summary>Whether a request carries a key in a header, which no page of another site can make a browser do.</summary>
    public static bool HasKey(HttpRequest request) => KeyOf(request) is not null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        string? key = KeyOf(Request);
        try
        {
            // A key counts as soon as it is issued, also while others are not yet asked for one.
            if (key is not null && await keys.FindAsync(key, Context.RequestAborted) is { } caller)
            {
                return Success(caller);
            }
        }
        catch (DbException exception)
        {
            // Health answers all the same.
            return AuthenticateResult.Fail(exception);
        }

        if (await keys.AnyAsync(Context.RequestAborted))
        {
            return key is null ? AuthenticateResult.NoResult() : AuthenticateResult.Fail("The API key is not valid.");
        }

        return LocalConnection.IsLocal(Context) ? Success(Caller.Operator("local")) : AuthenticateResult.NoResult();
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (Login.IsPage(Context))
        {
            Response.Redirect(Login.AddressFor(Request));
            return;
        }

        if ((await HandleAuthenticateOnceSafeAsync()).Failure is DbException unreachable)
        {
            ExceptionDispatchInfo.Throw(unreachable);
        }

        bool sent = HasKey(Request);
        Response.Headers.WWWAuthenticate = sent
            ? """Bearer realm="seq2seq", error="invalid_token" """.TrimEnd()
            : """Bearer realm="seq2seq" """.TrimEnd();
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Problem problem = Problem.Of(sent ? ProblemCodes.KeyInvalid : ProblemCodes.KeyMissing);
        await ErrorShape.WriteAsync(Context, Context.GetEndpoint(), problem);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status403Forbidden;
        string needed = Access.ScopeOf(Context);
        Problem problem = Problem.Of(
            ProblemCodes.ScopeMissing,
            $"The API key {Caller.Of(Context.User).Name} has not the scope {needed}."
        ) with
        {
            Expected = needed,
        };
        return ErrorShape.WriteAsync(Context, Context.GetEndpoint(), problem);
    }

    private AuthenticateResult Success(Caller caller) =>
        AuthenticateResult.Success(new AuthenticationTicket(caller.ToPrincipal(Scheme.Name), Scheme.Name));

    private static string? KeyOf(HttpRequest request)
    {
        string authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return authorization[Bearer.Length..].Trim();
        }

        StringValues header = request.Headers[HeaderName];
        return header.Count > 0 ? header.ToString() : null;
    }
}
