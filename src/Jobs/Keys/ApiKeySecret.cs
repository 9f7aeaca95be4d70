using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Seq2Seq.Jobs.Keys;

/// <summary>
/// The secret of an API key: <c>s2s_</c> and 32 random bytes in base64url. The beginning lets scanners for leaked secrets know it.
/// Only its digest is stored; so much randomness needs no salt and no slow hash.
/// </summary>
internal static class ApiKeySecret
{
    private const string Beginning = "s2s_";
    private const int RandomBytes = 32;
    private const int ShownLength = 10;

    // Far more than any secret of ours: what is longer is not even digested.
    private const int MaxLength = 512;

    public static string Create()
    {
        Span<byte> random = stackalloc byte[RandomBytes];
        RandomNumberGenerator.Fill(random);
        return Beginning + Base64Url.EncodeToString(random);
    }

    /// <summary>The part that lists show.</summary>
    public static string Prefix(string secret) => secret[..ShownLength];

    /// <returns>Null when it can't be a secret.</returns>
    public static byte[]? Hash(string secret) =>
        secret.Length <= MaxLength && secret.StartsWith(Beginning, StringComparison.Ordinal)
            ? SHA256.HashData(Encoding.UTF8.GetBytes(secret))
            : null;
}
