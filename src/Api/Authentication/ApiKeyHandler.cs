using System.Security.Claims;
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

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Recognise());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (Login.IsPage(Context))
        {
            Response.Redirect(Login.AddressFor(Request));
            return Task.CompletedTask;
        }

        bool sent = HasKey(Request);
        Response.Headers.WWWAuthenticate = sent
            ? """Bearer realm="seq2seq", error="invalid_token" """.TrimEnd()
            : """Bearer realm="seq2seq" """.TrimEnd();
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Problem problem = Problem.Of(sent ? ProblemCodes.KeyInvalid : ProblemCodes.KeyMissing);
        return ErrorShape.WriteAsync(Context, Context.GetEndpoint(), problem);
    }

    private AuthenticateResult Recognise()
    {
        if (!keys.Any)
        {
            return LocalConnection.IsLocal(Context) ? Success("local") : AuthenticateResult.NoResult();
        }

        return KeyOf(Request) is not { } key ? AuthenticateResult.NoResult()
            : keys.Find(key) is { } name ? Success(name)
            : AuthenticateResult.Fail("The API key is not valid.");
    }

    private AuthenticateResult Success(string name)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], Scheme.Name);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

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
