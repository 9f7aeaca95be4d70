using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>A set of characters, kept as ranges.</summary>
internal sealed class CodePointSet
{
    private readonly int[] _firsts;
    private readonly int[] _lasts;

    private CodePointSet(IEnumerable<(int First, int Last)> ranges)
    {
        var (firsts, lasts) = (new List<int>(), new List<int>());
        foreach (var (first, last) in ranges.Order())
        {
            if (lasts.Count > 0 && first <= lasts[^1] + 1)
            {
                lasts[^1] = Math.Max(lasts[^1], last);
                continue;
            }
            firsts.Add(first);
            lasts.Add(last);
        }
        (_firsts, _lasts) = ([.. firsts], [.. lasts]);
    }

    /// <summary>The sets of a table by their names; a line is a name and the first and last character of a range, in hexadecimal.</summary>
    public static FrozenDictionary<string, CodePointSet> ReadAll(string table) =>
        EmbeddedTable
            .Lines(table)
            .Select(line => line.Split(' '))
            .GroupBy(fields => fields[0], StringComparer.Ordinal)
            .ToFrozenDictionary(
                set => set.Key,
                set => new CodePointSet(set.Select(fields => (Number(fields[1]), Number(fields[2])))),
                StringComparer.Ordinal
            );

    public bool Contains(Rune rune)
    {
        var index = Array.BinarySearch(_firsts, rune.Value);
        if (index < 0)
            index = ~index - 1;
        return index >= 0 && rune.Value <= _lasts[index];
    }

    private static int Number(string field) => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
