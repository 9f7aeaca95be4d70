using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Moses;

/// <summary>A language's abbreviations, from prefixes.txt; English ones for languages without a list.</summary>
internal sealed class MosesPrefixes
{
    private const string BeforeNumbers = " #NUMERIC_ONLY#";

    private static readonly Lazy<ILookup<string, string>> All = new(() =>
        EmbeddedTable
            .Lines("moses-prefixes.txt")
            .Select(line => line.Split('\t'))
            .ToLookup(fields => fields[0], fields => fields[1], StringComparer.Ordinal)
    );

    private readonly HashSet<string> _prefixes;
    private readonly HashSet<string> _beforeNumbers;

    private MosesPrefixes(IEnumerable<string> prefixes)
    {
        var all = prefixes.ToArray();
        _beforeNumbers = all.Where(prefix => prefix.EndsWith(BeforeNumbers, StringComparison.Ordinal))
            .Select(prefix => prefix[..^BeforeNumbers.Length])
            .ToHashSet(StringComparer.Ordinal);
        _prefixes = all.Except(_beforeNumbers, StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal);
    }

    public static MosesPrefixes Of(string language) => new(All.Value[All.Value.Contains(language) ? language : "en"]);

    public bool Contains(string word) => _prefixes.Contains(word);

    public bool ContainsBeforeNumbers(string word) => _beforeNumbers.Contains(word);
}
