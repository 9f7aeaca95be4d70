using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Seq2Seq.Api.Dashboard;

/// <summary>
/// The pages' style sheet, script and icon, carried in the assembly so that they are there wherever the program is started.
/// Addresses hold a digest of the content and may be cached for ever.
/// </summary>
internal static class DashboardAssets
{
    private const string Prefix = "dashboard/";

    private static readonly FrozenDictionary<string, Asset> Assets = Load();

    public static void MapDashboardAssets(this IEndpointRouteBuilder app) =>
        app.MapGet($"{DashboardEndpoints.Root}/assets/{{digest}}/{{name}}", Get)
            .AllowAnonymous()
            .ExcludeFromDescription();

    public static string AddressOf(string name) => $"{DashboardEndpoints.Root}/assets/{Assets[name].Digest}/{name}";

    private static Results<FileContentHttpResult, NotFound> Get(HttpResponse response, string digest, string name)
    {
        if (!Assets.TryGetValue(name, out Asset? asset) || asset.Digest != digest)
        {
            return TypedResults.NotFound();
        }

        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return TypedResults.Bytes(asset.Content, asset.ContentType);
    }

    private static FrozenDictionary<string, Asset> Load()
    {
        Assembly assembly = typeof(DashboardAssets).Assembly;
        return assembly
            .GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(name => name[Prefix.Length..], name => Read(assembly, name), StringComparer.Ordinal);
    }

    private static Asset Read(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        string contentType = Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            string other => throw new NotSupportedException($"{name}: no media type for {other}."),
        };
        return new Asset(content, contentType, Convert.ToHexStringLower(SHA256.HashData(content))[..12]);
    }

    private sealed record Asset(byte[] Content, string ContentType, string Digest);
}
