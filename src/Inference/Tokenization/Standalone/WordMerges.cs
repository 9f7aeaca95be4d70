using System.Runtime.InteropServices;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// Byte-pair encoding of words as the first tokenizers had it (subword-nmt, OpenAI GPT): the last character of a word
/// carries the mark &lt;/w&gt;; of all neighbours the best pair is joined wherever it stands, until none is left.
/// </summary>
internal sealed class WordMerges
{
    public const string EndOfWord = "</w>";

    private readonly Dictionary<(string Left, string Right), int> _ranks;

    private WordMerges(Dictionary<(string, string), int> ranks) => _ranks = ranks;

    /// <summary>A merges.txt of pairs; further columns are passed over. Of equal pairs the last rank counts.</summary>
    public static WordMerges Read(IEnumerable<string> lines)
    {
        var ranks = new Dictionary<(string, string), int>();
        var rank = 0;
        foreach (var line in lines)
        {
            var parts = PythonText.Split(line);
            if (parts.Count >= 2)
                ranks[(parts[0], parts[1])] = rank;
            rank++;
        }
        return new WordMerges(ranks);
    }

    /// <summary>The pieces of a word that is not empty, the last one with its mark.</summary>
    public List<string> Split(string word)
    {
        var symbols = word.EnumerateRunes().Select(rune => rune.ToString()).ToList();
        symbols[^1] += EndOfWord;
        while (symbols.Count > 1 && Best(symbols) is { } best)
            Join(symbols, best);
        return symbols;
    }

    private (string Left, string Right)? Best(List<string> symbols)
    {
        var (bestRank, best) = (int.MaxValue, default((string, string)?));
        for (var i = 1; i < symbols.Count; i++)
        {
            if (_ranks.TryGetValue((symbols[i - 1], symbols[i]), out var rank) && rank < bestRank)
                (bestRank, best) = (rank, (symbols[i - 1], symbols[i]));
        }
        return best;
    }

    private static void Join(List<string> symbols, (string Left, string Right) pair)
    {
        var span = CollectionsMarshal.AsSpan(symbols);
        var (to, joined) = (0, pair.Left + pair.Right);
        for (var from = 0; from < span.Length; from++)
        {
            if (from + 1 < span.Length && span[from] == pair.Left && span[from + 1] == pair.Right)
            {
                span[to++] = joined;
                from++;
            }
            else
            {
                span[to++] = span[from];
            }
        }
        symbols.RemoveRange(to, symbols.Count - to);
    }
}
