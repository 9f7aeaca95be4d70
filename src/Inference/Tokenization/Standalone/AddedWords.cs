using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// The added tokens of a standalone tokenizer. Other than in the tokenizers library all are searched for in the text as
/// it came, spaces around them are taken from the neighbours, and a token that must stand alone looks for plain spaces.
/// </summary>
internal sealed class AddedWords
{
    private readonly Dictionary<int, AddedToken> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<int> _special = [];
    private readonly HashSet<string> _specialContents = new(StringComparer.Ordinal);
    private readonly List<string> _searched = [];
    private Func<string, int?> _specialId = _ => null;
    private AddedTokenMatcher? _matcher;

    /// <summary>Special tokens, whether they are added ones or the vocabulary's.</summary>
    public bool IsSpecial(int id) => _special.Contains(id);

    public bool IsSpecial(string token) => _specialContents.Contains(token);

    public bool Contains(string token) => _ids.ContainsKey(token);

    public int? Id(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    public string? TokenOf(int id) => _tokens.TryGetValue(id, out var token) ? token.Content : null;

    public void Add(int id, AddedToken token)
    {
        _tokens[id] = token;
        _ids[token.Content] = id;
        _searched.Add(token.Content);
    }

    /// <summary>
    /// The tokens of the files with their ids, then the named special tokens and the further ones: at the vocabulary's id,
    /// else at the next free one.
    /// </summary>
    public static AddedWords Of(
        TokenizerSettings settings,
        IEnumerable<AddedToken?> named,
        IEnumerable<AddedToken> further,
        Func<string, int?> vocabularyId,
        int vocabularySize,
        IReadOnlyDictionary<int, AddedToken>? fixedTokens = null
    )
    {
        var added = new AddedWords();
        foreach (var (id, token) in (fixedTokens ?? new Dictionary<int, AddedToken>()).Concat(settings.AddedTokens))
            added.Add(id, token);
        var next = vocabularySize + added._ids.Keys.Count(token => vocabularyId(token) is null);
        var special = named.OfType<AddedToken>().Concat(settings.ModelSpecificTokens()).Concat(further);
        foreach (var content in special.Select(token => token.Content).Distinct(StringComparer.Ordinal).ToArray())
        {
            if (content.Length > 0 && !added.Contains(content))
                added.Add(vocabularyId(content) ?? next++, new AddedToken(content) { Special = true });
            added._specialContents.Add(content);
        }
        added.SetSpecialIds(content => added.Id(content) ?? vocabularyId(content));
        return added;
    }

    /// <summary>Takes a token out again; it is still searched for, and special if it was.</summary>
    public void Remove(string content)
    {
        if (_ids.Remove(content, out var id))
            _tokens.Remove(id);
    }

    /// <summary>What a special token's id is, once the vocabulary is complete.</summary>
    public void SetSpecialIds(Func<string, int?> idOf)
    {
        _specialId = idOf;
        _special.Clear();
        foreach (var content in _specialContents)
        {
            if (idOf(content) is { } id)
                _special.Add(id);
        }
    }

    /// <summary>The parts of a text, each an added token or text for the tokenizer's own rule.</summary>
    public List<(string Text, int? TokenId)> Split(string text)
    {
        var segments = new List<TextSegment>();
        Matcher.Split(text, ignoreSpecial: false, segments);
        if (segments.Count == 1 && segments[0].TokenId is null)
            return text.Length == 0 ? [] : [(text, null)];

        var parts = segments.ConvertAll(segment =>
            (Text: text.Substring(segment.Start, segment.Length), IsToken: segment.TokenId is not null)
        );
        parts.RemoveAll(part => part.Text.Length == 0);
        for (var i = 0; i < parts.Count; i++)
        {
            if (parts[i].IsToken && _ids.TryGetValue(parts[i].Text, out var id))
                Adapt(parts, i, _tokens[id]);
        }
        return
        [
            .. parts
                .Where(part => part.Text.Length > 0)
                .Select(part =>
                    (
                        part.Text,
                        part.IsToken
                            ? _ids.TryGetValue(part.Text, out var id)
                                ? id
                                : _specialId(part.Text)
                            : null
                    )
                ),
        ];
    }

    private AddedTokenMatcher Matcher =>
        _matcher ??= new AddedTokenMatcher(
            _searched
                .Concat(_specialContents)
                .Where(content => content.Length > 0)
                .Distinct(StringComparer.Ordinal)
                .Select((content, i) => (content, new AddedToken(content), i))
        );

    private static void Adapt(List<(string Text, bool IsToken)> parts, int at, AddedToken token)
    {
        var left = at > 0 ? parts[at - 1].Text : "";
        var right = at + 1 < parts.Count ? parts[at + 1].Text : "";
        if (token.StripRight && right.Length > 0)
            parts[at + 1] = parts[at + 1] with { Text = PythonText.TrimStart(right).ToString() };
        if (token.StripLeft && left.Length > 0)
            parts[at - 1] = parts[at - 1] with { Text = PythonText.TrimEnd(left).ToString() };
        if (!token.SingleWord)
            return;
        if (left.Length > 0 && left[^1] != ' ')
        {
            parts[at - 1] = (parts[at - 1].Text + token.Content, false);
            parts[at] = ("", false);
        }
        else if (right.Length > 0 && right[0] != ' ')
        {
            parts[at + 1] = (token.Content + parts[at + 1].Text, false);
            parts[at] = ("", false);
        }
    }
}
