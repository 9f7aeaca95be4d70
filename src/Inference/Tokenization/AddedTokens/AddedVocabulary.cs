using Seq2Seq.Inference.Tokenization.Normalizers;

namespace Seq2Seq.Inference.Tokenization.AddedTokens;

/// <summary>
/// The tokens that stand beside a model's vocabulary, with ids of their own or of the vocabulary
/// (<c>AddedVocabulary</c> of the tokenizers library). Filled at load, then only read.
/// </summary>
internal sealed class AddedVocabulary(Func<string, int?> modelId, int modelSize, INormalizer? normalizer = null)
{
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, AddedToken> _tokens = [];
    private readonly HashSet<string> _special = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _normalized = [];
    private Lazy<(AddedTokenMatcher Raw, AddedTokenMatcher Normalized)>? _matchers;

    /// <summary>By id.</summary>
    public IReadOnlyDictionary<int, AddedToken> Tokens => _tokens;

    /// <summary>Finds the tokens that are searched for in the text as it came.</summary>
    public AddedTokenMatcher Raw => Matchers.Raw;

    /// <summary>Finds the tokens that are searched for in the normalised text.</summary>
    public AddedTokenMatcher Normalized => Matchers.Normalized;

    private (AddedTokenMatcher Raw, AddedTokenMatcher Normalized) Matchers => (_matchers ??= new(BuildMatchers)).Value;

    public int? Id(string token) => _ids.TryGetValue(token, out var id) ? id : modelId(token);

    public bool Contains(string token) => _ids.ContainsKey(token);

    public IReadOnlySet<string> Special => _special;

    public bool IsSpecial(string token) => _special.Contains(token);

    /// <summary>What decoding sees of an added token: its normalised form, where it has another one.</summary>
    public string? TokenOf(int id) =>
        _normalized.TryGetValue(id, out var normalized) ? normalized
        : _tokens.TryGetValue(id, out var token) ? token.Content
        : null;

    /// <summary>Known contents keep their id, others get the next free one.</summary>
    public void Add(AddedToken token)
    {
        if (token.Content.Length == 0)
            return;
        var id = Id(token.Content) ?? NextId();
        if (_tokens.TryGetValue(id, out var known) && known == token)
            return;
        if (token.Normalized && Normalize(token.Content) is var form && form != token.Content)
            _normalized[id] = form;
        _ids[token.Content] = id;
        _tokens[id] = token;
        // A token once special stays so, as in the library.
        if (token.Special)
            _special.Add(token.Content);
        _matchers = null;
    }

    private string Normalize(string content)
    {
        if (normalizer is null)
            return content;
        var text = new NormalizedText(content, atOrigin: 1);
        normalizer.Normalize(text);
        return text.Text;
    }

    private int NextId()
    {
        var last = _tokens.Count == 0 ? -1 : _tokens.Keys.Last();
        return Math.Max(last + 1, modelSize);
    }

    private (AddedTokenMatcher Raw, AddedTokenMatcher Normalized) BuildMatchers() =>
        (
            new AddedTokenMatcher(
                _tokens
                    .Where(token => !token.Value.Normalized)
                    .Select(token => (token.Value.Content, token.Value, token.Key))
            ),
            new AddedTokenMatcher(
                _tokens
                    .Where(token => token.Value.Normalized)
                    .Select(token =>
                        (_normalized.GetValueOrDefault(token.Key, token.Value.Content), token.Value, token.Key)
                    )
            )
        );
}
