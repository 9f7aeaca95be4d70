namespace Seq2Seq.Inference.Tokenization.AddedTokens;

/// <summary>
/// The tokens that stand beside a model's vocabulary, with ids of their own or of the vocabulary
/// (<c>AddedVocabulary</c> of the tokenizers library). Filled at load, then only read.
/// </summary>
internal sealed class AddedVocabulary(Func<string, int?> modelId, int modelSize)
{
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, AddedToken> _tokens = [];
    private readonly HashSet<string> _special = new(StringComparer.Ordinal);
    private AddedTokenMatcher? _raw;

    /// <summary>By id.</summary>
    public IReadOnlyDictionary<int, AddedToken> Tokens => _tokens;

    /// <summary>Finds the tokens that are searched for in the text as it came.</summary>
    public AddedTokenMatcher Raw =>
        _raw ??= new AddedTokenMatcher(
            _tokens
                .Where(token => !token.Value.Normalized)
                .Select(token => (token.Value.Content, token.Value, token.Key))
        );

    public int? Id(string token) => _ids.TryGetValue(token, out var id) ? id : modelId(token);

    public bool IsSpecial(string token) => _special.Contains(token);

    /// <summary>Known contents keep their id, others get the next free one.</summary>
    public void Add(AddedToken token)
    {
        if (token.Content.Length == 0)
            return;
        var id = Id(token.Content) ?? NextId();
        _ids[token.Content] = id;
        _tokens[id] = token;
        // A token once special stays so, as in the library.
        if (token.Special)
            _special.Add(token.Content);
        _raw = null;
    }

    private int NextId()
    {
        var last = _tokens.Count == 0 ? -1 : _tokens.Keys.Last();
        return Math.Max(last + 1, modelSize);
    }
}
