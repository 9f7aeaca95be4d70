using System.Globalization;

namespace Seq2Seq.Jobs.Keys;

/// <summary>An API key, without its secret.</summary>
public sealed record ApiKey
{
    public required Guid Id { get; init; }

    /// <summary>A name for people.</summary>
    public required string Name { get; init; }

    /// <summary>How the secret begins, to recognise it by.</summary>
    public required string Prefix { get; init; }

    /// <summary>What it may do: see <see cref="KeyScopes"/>.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }
    public required KeyLimits Limits { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>To the minute.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    public bool Allows(string scope) => Scopes.Contains(scope, StringComparer.Ordinal);
}

/// <summary>What a key may do; a scope holds only itself.</summary>
public static class KeyScopes
{
    /// <summary>Look at jobs, results, models and devices.</summary>
    public const string Read = "read";

    /// <summary>Submit jobs, and cancel, pause, resume and retry them.</summary>
    public const string Write = "write";

    /// <summary>Do so with the jobs of everybody, and not only with those that the key itself has submitted.</summary>
    public const string AllJobs = "all";

    /// <summary>What is the operator's: models' queues and loads, Hangfire's pages.</summary>
    public const string Admin = "admin";

    public static IReadOnlyList<string> All { get; } = [Read, Write, AllJobs, Admin];
}

/// <summary>How much a key may submit; null is no limit.</summary>
public sealed record KeyLimits
{
    /// <summary>Jobs that have not ended, at once.</summary>
    public int? UnfinishedJobs { get; init; }

    /// <summary>Submits in a minute; as many may come at once.</summary>
    public int? SubmitsPerMinute { get; init; }

    /// <summary>Lines in any 24 hours.</summary>
    public long? LinesPerDay { get; init; }

    /// <summary>Bytes of input in any 24 hours.</summary>
    public long? BytesPerDay { get; init; }

    /// <summary>Whether there is a limit on what is stored, and not only on how often.</summary>
    internal bool BoundsWhatIsStored => (UnfinishedJobs ?? LinesPerDay ?? BytesPerDay) is not null;

    /// <summary>The limits for people, such as <c>10 unfinished jobs, 1,000,000 lines a day</c>; <c>no limits</c>.</summary>
    public string Describe()
    {
        (long? Most, string What)[] all =
        [
            (UnfinishedJobs, "unfinished jobs"),
            (SubmitsPerMinute, "submits a minute"),
            (LinesPerDay, "lines a day"),
            (BytesPerDay, "bytes a day"),
        ];
        string[] given =
        [
            .. all.Where(limit => limit.Most is not null)
                .Select(limit => string.Create(CultureInfo.InvariantCulture, $"{limit.Most:N0} {limit.What}")),
        ];
        return given.Length == 0 ? "no limits" : string.Join(", ", given);
    }
}
