using System.Diagnostics;
using Xunit;

namespace Seq2Seq.Testing;

/// <summary>Waits for what other threads and processes bring about.</summary>
public static class Eventually
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(20);

    /// <exception cref="TimeoutException">It did not hold in time; names it.</exception>
    public static async Task HoldsAsync(Func<Task<bool>> condition, TimeSpan timeout, string what)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var waited = Stopwatch.StartNew();
        while (!await condition())
        {
            if (waited.Elapsed > timeout)
            {
                throw new TimeoutException($"Not within {timeout}: {what}.");
            }

            await Task.Delay(_interval, cancellationToken);
        }
    }
}
