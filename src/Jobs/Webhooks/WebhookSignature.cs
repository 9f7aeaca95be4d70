using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>
/// Signs messages by the Standard Webhooks rules (https://github.com/standard-webhooks/standard-webhooks): HMAC-SHA256 over id,
/// timestamp and body, so that a receiver knows who sent it, and can refuse what is old or came before.
/// </summary>
internal static class WebhookSignature
{
    public const string SecretForm = "'whsec_' and 24 to 64 bytes in base64";

    private const string SecretPrefix = "whsec_";
    private const int MinSecretBytes = 24;
    private const int MaxSecretBytes = 64;

    public static bool IsSecret(string text) => TryReadSecret(text, out _);

    /// <returns>The value of the header <c>webhook-signature</c>.</returns>
    public static string Sign(string secret, string messageId, DateTimeOffset timestamp, string body)
    {
        if (!TryReadSecret(secret, out byte[] key))
        {
            throw new ArgumentException($"A secret is {SecretForm}.", nameof(secret));
        }

        string signed = string.Create(
            CultureInfo.InvariantCulture,
            $"{messageId}.{timestamp.ToUnixTimeSeconds()}.{body}"
        );
        byte[] signature = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signed));
        return $"v1,{Convert.ToBase64String(signature)}";
    }

    private static bool TryReadSecret(string text, out byte[] key)
    {
        Span<byte> bytes = stackalloc byte[MaxSecretBytes];
        bool read =
            text.StartsWith(SecretPrefix, StringComparison.Ordinal)
            && Convert.TryFromBase64Chars(text.AsSpan(SecretPrefix.Length), bytes, out int length)
            && (bytes = bytes[..length]).Length >= MinSecretBytes;
        key = read ? bytes.ToArray() : [];
        return read;
    }
}
