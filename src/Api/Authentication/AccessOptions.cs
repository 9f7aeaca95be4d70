using System.ComponentModel.DataAnnotations;

namespace Seq2Seq.Api.Authentication;

/// <summary>Configuration section <c>Access</c>: who may use this service, and under which host names.</summary>
internal sealed class AccessOptions : IValidatableObject
{
    public const string SectionName = "Access";

    /// <summary>Fewest characters of a key: 16 random ones are out of reach of guessing.</summary>
    public const int ShortestKey = 16;

    /// <summary>
    /// API keys by a name for people. Without any, only this machine may call, and the service refuses to listen elsewhere.
    /// </summary>
    public Dictionary<string, string> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>Host names besides the loopback ones that are answered without an API key, such as a proxy's on this machine.</summary>
    public List<string> Hosts { get; } = [];

    /// <summary>
    /// Folder of the keys that protect sessions and forms: who signs in at one process is known to all that share it, also after a
    /// restart. Null means the data folder of the service's own PostgreSQL, else the user's own.
    /// </summary>
    public string? SessionFolder { get; set; }

    public bool HasKeys => Keys.Count > 0;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach ((string name, string key) in Keys)
        {
            if (key.Length < ShortestKey || key.Any(letter => letter is <= ' ' or > '~'))
            {
                yield return new ValidationResult(
                    $"Access:Keys:{name} must have at least {ShortestKey} visible ASCII characters; `openssl rand -hex 16` makes one.",
                    [nameof(Keys)]
                );
            }
        }
    }
}
