using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Api.Authentication;

/// <summary>
/// One rule for everything that is served, dashboards included: an API key, or being on this machine while none is configured.
/// Endpoints are closed unless they say otherwise.
/// </summary>
internal static class Access
{
    private const string SelectingScheme = "Access";

    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services
            .AddOptions<AccessOptions>()
            .BindConfiguration(AccessOptions.SectionName)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>, LoopbackListening>();
        services
            .AddAuthentication(SelectingScheme)
            .AddPolicyScheme(
                SelectingScheme,
                displayName: null,
                options =>
                {
                    options.ForwardDefaultSelector = SelectScheme;
                    options.ForwardChallenge = ApiKeyHandler.SchemeName;
                    options.ForwardForbid = ApiKeyHandler.SchemeName;
                }
            )
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, configureOptions: null)
            .AddCookie(Login.ConfigureCookie);
        services
            .AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        return services;
    }

    // A session counts only while keys are configured, and only for a request that brings no key of its own.
    private static string? SelectScheme(HttpContext context) =>
        context.RequestServices.GetRequiredService<ApiKeys>().Any
        && !ApiKeyHandler.HasKey(context.Request)
        && context.Request.Cookies.ContainsKey(Login.CookieName)
            ? CookieAuthenticationDefaults.AuthenticationScheme
            : ApiKeyHandler.SchemeName;
}
