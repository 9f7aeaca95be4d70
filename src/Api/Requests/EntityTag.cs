using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Seq2Seq.Api.Requests;

/// <summary>Entity tags (RFC 9110, section 8.8.3) that are digests of what they stand for, so that what is the same has the same.</summary>
internal static class EntityTag
{
    private const int DigestLetters = 32;

    public static EntityTagHeaderValue Of(ReadOnlySpan<byte> content) =>
        new($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..DigestLetters]}\"");

    /// <summary>Gives the answer its tag, and says whether the caller has it already (If-None-Match).</summary>
    public static bool IsKnown(HttpContext context, EntityTagHeaderValue tag)
    {
        context.Response.Headers.ETag = tag.ToString();
        // It may be kept, and is asked for anew each time.
        context.Response.Headers.CacheControl = "private, no-cache";
        return EntityTagHeaderValue.TryParseList(
                context.Request.Headers.IfNoneMatch,
                out IList<EntityTagHeaderValue>? known
            ) && known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: false));
    }
}
