using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Keys;

namespace Seq2Seq.Api.Authentication;

/// <summary>
/// Finds who sent a key: one of the configuration, or one that was issued. Every configured key is compared, in constant time over
/// digests, whichever fits.
/// </summary>
internal sealed class ApiKeys(IOptionsMonitor<AccessOptions> options, ApiKeyDirectory issued, TimeProvider time)
{
    /// <summary>Longer than any key; what is longer is not even digested.</summary>
    private const int LongestKey = 512;

    // Every request asks.
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);

    // Once there is an issued key, there is for ever.
    private volatile bool _isIssued;
    private long _askedAt;

    /// <summary>Whether callers need a key, as <see cref="AnyAsync"/> last saw it.</summary>
    public bool Any => _isIssued || options.CurrentValue.HasKeys;

    /// <summary>Whether callers need a key: one is configured, or was issued. New ones are seen after ten seconds.</summary>
    public async ValueTask<bool> AnyAsync(CancellationToken cancellationToken)
    {
        if (Any)
        {
            return true;
        }

        long asked = Interlocked.Read(ref _askedAt);
        if (asked == 0 || time.GetElapsedTime(asked) > Remembered)
        {
            try
            {
                _isIssued = await issued.AnyAsync(cancellationToken);
                Interlocked.Exchange(ref _askedAt, time.GetTimestamp());
            }
            catch (DbException) when (asked != 0)
            {
                // What was so stands: health must answer without a database, and nothing else can be done without one.
            }
        }

        return Any;
    }

    /// <summary>Who has that key; null when there is no such key.</summary>
    /// <exception cref="DbException">It can't be said now.</exception>
    public async ValueTask<Caller?> FindAsync(string key, CancellationToken cancellationToken)
    {
        if (key.Length > LongestKey)
        {
            return null;
        }

        if (FindConfigured(key) is { } name)
        {
            return Caller.Operator(name);
        }

        if (await issued.FindAsync(key, cancellationToken) is not { } found)
        {
            return null;
        }

        // Who has signed in with it must not be taken for somebody without a key because others were asked for none lately.
        _isIssued = true;
        return Caller.Of(found);
    }

    /// <summary>What a session remembers of its key: when a configured key changes, or an issued one is revoked, the session ends.</summary>
    public string? Fingerprint(Caller caller) =>
        caller.ApiKeyId is { } id ? id.ToString()
        : options.CurrentValue.Keys.TryGetValue(caller.Name, out string? key) ? Convert.ToHexStringLower(Digest(key))
        : null;

    /// <summary>Whether the key of a session still works.</summary>
    public async ValueTask<bool> WorksAsync(Caller caller, CancellationToken cancellationToken) =>
        caller.ApiKeyId is not { } id || await issued.FindAsync(id, cancellationToken) is not null;

    private string? FindConfigured(string key)
    {
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

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
