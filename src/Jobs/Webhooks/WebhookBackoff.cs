using System.Security.Cryptography;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>When a message is tried again: soon at first, then ever later, over a day and two hours in all.</summary>
internal static class WebhookBackoff
{
    private static readonly TimeSpan[] _delays =
    [
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(1),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(8),
        TimeSpan.FromHours(10.5),
    ];

    private static readonly TimeSpan _longest = TimeSpan.FromHours(12);

    // A receiver that comes back is not met by everybody at once.
    private const double Jitter = 0.1;

    private const int JitterSteps = 1000;

    /// <param name="attempts">Attempts that have failed.</param>
    /// <param name="retryAfter">What the receiver asked for.</param>
    /// <returns>The time until the next one; null when this was the last.</returns>
    public static TimeSpan? Next(int attempts, TimeSpan? retryAfter)
    {
        if (attempts > _delays.Length)
        {
            return null;
        }

        double jitter = Jitter * RandomNumberGenerator.GetInt32(JitterSteps) / JitterSteps;
        var delay = _delays[attempts - 1] * (1 + jitter);
        if (retryAfter > delay)
        {
            delay = retryAfter.Value;
        }

        return delay < _longest ? delay : _longest;
    }
}
