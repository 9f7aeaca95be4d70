using System.Globalization;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>
/// The script that a character belongs to, from scripts.txt: the table of the tokenizers library, older than .NET's
/// Unicode on purpose. Characters that the table lacks belong to none.
/// </summary>
internal static class UnicodeScripts
{
    public const int None = -1;

    private static readonly Lazy<Table> Scripts = new(Read);

    public static int Of(Rune rune)
    {
        var table = Scripts.Value;
        var index = Array.BinarySearch(table.Starts, rune.Value);
        if (index < 0)
            index = ~index - 1;
        return index >= 0 && rune.Value <= table.Ends[index] ? table.Ids[index] : None;
    }

    /// <summary>The number of a script by its name in lower case; null for a name that is none.</summary>
    public static int? Find(string name) => Scripts.Value.Names.TryGetValue(name, out var id) ? id : null;

    private static Table Read()
    {
        var (starts, ends, ids) = (new List<int>(), new List<int>(), new List<int>());
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var line in EmbeddedTable.Lines("scripts.txt"))
        {
            var fields = line.Split(' ');
            starts.Add(int.Parse(fields[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            ends.Add(int.Parse(fields[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            var name = fields[2].ToLowerInvariant();
            if (!names.TryGetValue(name, out var id))
                names[name] = id = names.Count;
            ids.Add(id);
        }
        return new Table([.. starts], [.. ends], [.. ids], names);
    }

    private sealed record Table(int[] Starts, int[] Ends, int[] Ids, Dictionary<string, int> Names);
}
