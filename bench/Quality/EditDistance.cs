namespace Seq2Seq.Bench.Quality;

/// <summary>Levenshtein's distance.</summary>
internal static class EditDistance
{
    /// <returns>The least number of insertions, deletions and replacements that make one of the other.</returns>
    public static int Of(IReadOnlyList<string> from, IReadOnlyList<string> to)
    {
        int[] former = [.. Enumerable.Range(0, to.Count + 1)];
        for (int i = 1; i <= from.Count; i++)
        {
            int[] next = new int[to.Count + 1];
            next[0] = i;
            for (int j = 1; j <= to.Count; j++)
            {
                int replaced = former[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                next[j] = Math.Min(replaced, Math.Min(former[j], next[j - 1]) + 1);
            }

            former = next;
        }

        return former[^1];
    }
}
