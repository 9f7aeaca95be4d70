using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Api.Authentication;

/// <summary>Finds the configured key that was sent. Every key is compared, in constant time over digests, whichever fits.</summary>
internal sealed class ApiKeys(IOptionsMonitor<AccessOptions> options)
{
    /// <summary>Longer than any key; what is longer is not even digested.</summary>
    public const int LongestKey = 512;

    public bool Any => options.CurrentValue.HasKeys;

    /// <summary>The name of the key; null when there is no such key.</summary>
    public string? Find(string key)
    {
        if (key.Length > LongestKey)
        {
            return null;
        }

        byte[] sent = Digest(key);
        string? found = null;
        foreach ((string name, string configured) in options.CurrentValue.Keys)
        {
            if (CryptographicOperations.FixedTimeEquals(sent, Digest(configured)))
            {
                found = name;
            }
        }

        return found;
    }

    /// <summary>What a session remembers of its key: when the configured key changes, the session ends.</summary>
    public string? Fingerprint(string name) =>
        options.CurrentValue.Keys.TryGetValue(name, out string? key) ? Convert.ToHexStringLower(Digest(key)) : null;

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
