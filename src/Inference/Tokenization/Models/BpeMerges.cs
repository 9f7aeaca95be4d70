using System.Text.Json;

namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>The pairs that byte-pair encoding joins, best first.</summary>
internal static class BpeMerges
{
    /// <summary>Of tokenizer.json: <c>["a b", …]</c> or <c>[["a", "b"], …]</c>.</summary>
    public static List<(string Left, string Right)> Read(JsonElement merges)
    {
        var result = new List<(string, string)>(merges.GetArrayLength());
        foreach (var merge in merges.EnumerateArray())
        {
            if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2)
                result.Add((merge[0].GetString()!, merge[1].GetString()!));
            else if (merge.ValueKind == JsonValueKind.String)
            {
                var text = merge.GetString()!;
                if (!text.StartsWith("#version", StringComparison.Ordinal))
                    result.Add(Pair(text, result.Count + 1));
            }
            else
                throw new InvalidDataException($"Merge {result.Count + 1} is {merge}; it must be a pair.");
        }
        return result;
    }

    /// <summary>A merges.txt: a pair a line, lines that begin with #version left out.</summary>
    public static List<(string Left, string Right)> ReadLines(string text)
    {
        var result = new List<(string, string)>();
        foreach (var line in text.Split('\n'))
        {
            var pair = line.EndsWith('\r') ? line[..^1] : line;
            if (pair.Length > 0 && !pair.StartsWith("#version", StringComparison.Ordinal))
                result.Add(Pair(pair, result.Count + 1));
        }
        return result;
    }

    /// <summary>
    /// The pairs that a sentencepiece vocabulary allows, which has no merges of its own: every split of a piece into two
    /// others, in the order of the pieces (transformers' <c>generate_merges</c>).
    /// </summary>
    public static List<(string Left, string Right)> Generate(IReadOnlyDictionary<string, int> vocabulary)
    {
        var merges = new List<(string Left, string Right, int Rank)>();
        var lookup = ((Dictionary<string, int>)vocabulary).GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (piece, rank) in vocabulary)
        {
            var local = new List<(int Left, int Right, int Length)>();
            for (var i = 1; i < piece.Length; i++)
            {
                if (
                    lookup.TryGetValue(piece.AsSpan(0, i), out var left)
                    && lookup.TryGetValue(piece.AsSpan(i), out var right)
                )
                    local.Add((left, right, i));
            }
            local.Sort((x, y) => (x.Left, x.Right).CompareTo((y.Left, y.Right)));
            merges.AddRange(local.Select(split => (piece[..split.Length], piece[split.Length..], rank)));
        }
        return
        [
            .. merges
                .OrderBy(merge => merge.Rank)
                .ThenBy(merge => CountCharacters(merge.Left))
                .ThenBy(merge => CountCharacters(merge.Right))
                .Select(merge => (merge.Left, merge.Right)),
        ];
    }

    private static int CountCharacters(string text) => text.EnumerateRunes().Count();

    private static (string Left, string Right) Pair(string text, int number)
    {
        var parts = text.Split(' ');
        return parts.Length == 2
            ? (parts[0], parts[1])
            : throw new InvalidDataException(
                $"Merge {number} is '{text}'; it must be two tokens with a space between."
            );
    }
}
