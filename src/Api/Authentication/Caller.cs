using System.Security.Claims;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Keys;

namespace Seq2Seq.Api.Authentication;

/// <summary>Who makes a request, and what that one may do. Handlers take it as a parameter.</summary>
/// <param name="Name">For people: the key's, or <c>local</c>.</param>
/// <param name="ApiKeyId">The issued key; null for one of the configuration, and for callers on this machine while no key is needed.</param>
/// <param name="Scopes">See <see cref="KeyScopes"/>.</param>
internal sealed record Caller(string Name, Guid? ApiKeyId, IReadOnlyList<string> Scopes)
{
    public const string ScopeClaim = "seq2seq:scope";
    private const string KeyClaim = "seq2seq:key";

    /// <summary>Whose jobs alone this caller sees; null for everybody's.</summary>
    public Guid? OnlyJobsOf => Allows(KeyScopes.AllJobs) ? null : ApiKeyId ?? Guid.Empty;

    /// <summary>One whom the configuration names, or who sits at this machine: the operator.</summary>
    public static Caller Operator(string name) => new(name, ApiKeyId: null, KeyScopes.All);

    public static Caller Of(ApiKey key) => new(key.Name, key.Id, key.Scopes);

    public static Caller Of(ClaimsPrincipal user) =>
        new(
            user.Identity?.Name ?? "",
            Guid.TryParse(user.FindFirstValue(KeyClaim), out Guid id) ? id : null,
            [.. user.FindAll(ScopeClaim).Select(claim => claim.Value)]
        );

    /// <summary>Called by the framework for a handler's parameter.</summary>
    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(Of(context.User));

    public bool Allows(string scope) => Scopes.Contains(scope, StringComparer.Ordinal);

    public bool Sees(Job job) => OnlyJobsOf is not { } own || job.ApiKeyId == own;

    public ClaimsPrincipal ToPrincipal(string scheme, params IEnumerable<Claim> more)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, Name), .. more], scheme);
        identity.AddClaims(Scopes.Select(scope => new Claim(ScopeClaim, scope)));
        if (ApiKeyId is { } id)
        {
            identity.AddClaim(new Claim(KeyClaim, id.ToString()));
        }

        return new ClaimsPrincipal(identity);
    }
}
