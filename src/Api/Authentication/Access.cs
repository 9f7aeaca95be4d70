using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Keys;

namespace Seq2Seq.Api.Authentication;

/// <summary>
/// One rule for everything that is served, dashboards included: an API key, or being on this machine while there is none. Endpoints
/// are closed unless they say otherwise: looking needs the scope <c>read</c>, everything else <c>write</c>, and some say what they need.
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
        services.AddSessionKeys();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<LoopbackListening>();
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>>(provider =>
            provider.GetRequiredService<LoopbackListening>()
        );
        services.AddHostedService(provider => provider.GetRequiredService<LoopbackListening>());
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
            .AddPolicy(KeyScopes.AllJobs, policy => policy.RequireClaim(Caller.ScopeClaim, KeyScopes.AllJobs))
            .AddPolicy(KeyScopes.Admin, policy => policy.RequireClaim(Caller.ScopeClaim, KeyScopes.Admin))
            .SetFallbackPolicy(
                new AuthorizationPolicyBuilder()
                    .RequireAuthenticatedUser()
                    .RequireAssertion(authorization =>
                        authorization.Resource is HttpContext context
                        && Caller.Of(context.User).Allows(ScopeOf(context))
                    )
                    .Build()
            );
        return services;
    }

    /// <summary>The scope that a request needs.</summary>
    public static string ScopeOf(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>()?.Policy
        ?? (RequestGuard.IsSafe(context.Request.Method) ? KeyScopes.Read : KeyScopes.Write);

    // A session counts only while keys are needed, and only for a request that brings no key of its own.
    private static string? SelectScheme(HttpContext context) =>
        context.RequestServices.GetRequiredService<ApiKeys>().Any
        && !ApiKeyHandler.HasKey(context.Request)
        && context.Request.Cookies.ContainsKey(Login.CookieName)
            ? CookieAuthenticationDefaults.AuthenticationScheme
            : ApiKeyHandler.SchemeName;
}
