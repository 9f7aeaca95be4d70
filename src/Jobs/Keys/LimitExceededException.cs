namespace Seq2Seq.Jobs.Keys;

/// <summary>An API key's limit is reached: the caller must wait (HTTP: 429). Nothing was stored.</summary>
/// <param name="code">One of <see cref="LimitCodes"/>.</param>
/// <param name="retryAfter">When to try again.</param>
public sealed class LimitExceededException(string code, string message, TimeSpan retryAfter) : Exception(message)
{
    public string Code { get; } = code;

    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>The stable codes of <see cref="LimitExceededException"/>.</summary>
public static class LimitCodes
{
    public const string UnfinishedJobs = "jobs_limit_reached";
    public const string SubmitsPerMinute = "rate_limit_reached";
    public const string LinesPerDay = "lines_limit_reached";
    public const string BytesPerDay = "bytes_limit_reached";
}
