using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http.HttpResults;
using Seq2Seq.Api.Dashboard;

namespace Seq2Seq.Api.Authentication;

/// <summary>
/// <c>/login</c>: a browser trades an API key for a session cookie, which names the key by its digest and ends when that key is
/// changed, removed or revoked.
/// </summary>
internal static class Login
{
    public const string CookieName = "seq2seq-session";
    private const string Address = "/login";
    private const string FingerprintClaim = "seq2seq:fingerprint";
    private const string ReturnField = "return";
    private static readonly TimeSpan SessionTime = TimeSpan.FromHours(12);
    private static readonly PathString[] Pages = ["/dashboard", "/hangfire", "/scalar"];

    public static void MapLogin(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder group = app.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        group.MapGet(Address, ShowAsync);
        group.MapPost(Address, SignInAsync);
        group.MapPost("/logout", (Delegate)SignOutAsync);
    }

    public static void ConfigureCookie(CookieAuthenticationOptions options)
    {
        options.Cookie.Name = CookieName;
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Lax;
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = SessionTime;
        options.SlidingExpiration = true;
        options.Events.OnValidatePrincipal = async context =>
        {
            ApiKeys keys = context.HttpContext.RequestServices.GetRequiredService<ApiKeys>();
            var caller = Caller.Of(context.Principal!);
            if (
                keys.Fingerprint(caller) is not { } now
                || context.Principal!.FindFirstValue(FingerprintClaim) != now
                || !await keys.WorksAsync(caller, context.HttpContext.RequestAborted)
            )
            {
                context.RejectPrincipal();
            }
        };
    }

    /// <summary>Whether a browser asked for a page, so that a stranger is better led to the login than told of a header.</summary>
    public static bool IsPage(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method)
        && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && (
            context.Request.Path == "/"
            || Array.Exists(
                Pages,
                page => context.Request.Path.StartsWithSegments(page, StringComparison.OrdinalIgnoreCase)
            )
        );

    /// <summary>Whether somebody signed in, and did not send a key or sit at this machine.</summary>
    public static bool IsSession(ClaimsPrincipal user) =>
        user.Identity?.AuthenticationType == CookieAuthenticationDefaults.AuthenticationScheme;

    public static string AddressFor(HttpRequest request) =>
        Address + QueryString.Create(ReturnField, request.Path + request.QueryString);

    private static async Task<Results<RazorComponentResult<LoginPage>, RedirectHttpResult>> ShowAsync(
        HttpContext context,
        ApiKeys keys,
        CancellationToken cancellationToken
    )
    {
        string target = LocalAddress(context.Request.Query[ReturnField]);
        return await keys.AnyAsync(cancellationToken)
            ? Page(target, failed: false)
            : TypedResults.LocalRedirect(target);
    }

    private static async Task<Results<RazorComponentResult<LoginPage>, RedirectHttpResult>> SignInAsync(
        HttpContext context,
        ApiKeys keys,
        CancellationToken cancellationToken
    )
    {
        IFormCollection form = await Requests.RequestBody.ReadFormAsync(context.Request, cancellationToken);
        string target = LocalAddress(form[ReturnField]);
        if (await keys.FindAsync(form["key"].ToString().Trim(), cancellationToken) is not { } caller)
        {
            return Page(target, failed: true);
        }

        await context.SignInAsync(
            CookieAuthenticationDefaults.AuthenticationScheme,
            caller.ToPrincipal(
                CookieAuthenticationDefaults.AuthenticationScheme,
                new Claim(FingerprintClaim, keys.Fingerprint(caller)!)
            )
        );
        return TypedResults.LocalRedirect(target);
    }

    private static async Task<RedirectHttpResult> SignOutAsync(HttpContext context)
    {
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return TypedResults.LocalRedirect(Address);
    }

    private static RazorComponentResult<LoginPage> Page(string target, bool failed) =>
        new(new { Return = target, Failed = failed })
        {
            StatusCode = failed ? StatusCodes.Status401Unauthorized : StatusCodes.Status200OK,
        };

    // Only addresses of this host: a login page must not send people elsewhere.
    private static string LocalAddress(string? address) =>
        address is ['/', ..] and not ['/', '/' or '\\', ..] && !address.Any(char.IsControl)
            ? address
            : DashboardEndpoints.Root;
}
