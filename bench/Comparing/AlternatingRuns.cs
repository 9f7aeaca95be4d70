using System.Diagnostics;

namespace Seq2Seq.Bench.Comparing;

/// <summary>
/// Several things run in turns, round after round: what changes about the machine changes for all of them.
/// </summary>
internal static class AlternatingRuns
{
    /// <summary>No medians of fewer.</summary>
    private const int LeastRounds = 3;

    /// <param name="count">Things that take turns.</param>
    /// <param name="rounds">Most rounds.</param>
    /// <param name="budget">When this is used up, the round is the last, unless there were fewer than three.</param>
    /// <param name="run">Runs one.</param>
    /// <returns>For each thing, what its runs gave.</returns>
    public static async Task<List<T>[]> RunAsync<T>(int count, int rounds, TimeSpan budget, Func<int, Task<T>> run)
    {
        List<T>[] results = [.. Enumerable.Range(0, count).Select(_ => new List<T>())];
        long started = Stopwatch.GetTimestamp();
        for (int round = 0; round < rounds; round++)
        {
            TimeSpan used = Stopwatch.GetElapsedTime(started);
            if (round >= LeastRounds && used + (used / round) > budget)
            {
                break;
            }

            for (int i = 0; i < count; i++)
            {
                results[i].Add(await run(i));
            }
        }

        return results;
    }
}
