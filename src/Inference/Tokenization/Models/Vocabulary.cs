using System.Text.Json;

namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>Tokens and their ids, both ways.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly Dictionary<int, string> _tokens = [];

    public Vocabulary(IEnumerable<KeyValuePair<string, int>> tokens)
    {
        _ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, id) in tokens)
            _ids[token] = id;
        foreach (var (token, id) in _ids)
            _tokens[id] = token;
        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public int Count => _ids.Count;

    public IReadOnlyDictionary<string, int> Ids => _ids;

    public bool TryGetId(ReadOnlySpan<char> token, out int id) => _lookup.TryGetValue(token, out id);

    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    public string? TokenOf(int id) => _tokens.GetValueOrDefault(id);

    public Vocabulary Without(IReadOnlySet<string> tokens) => new(_ids.Where(token => !tokens.Contains(token.Key)));

    /// <summary>A JSON object of token to id.</summary>
    public static Vocabulary Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"A vocabulary is {json.ValueKind}; it must be an object of token to id.");
        return new Vocabulary(
            json.EnumerateObject().Select(token => KeyValuePair.Create(token.Name, token.Value.GetInt32()))
        );
    }

    /// <summary>One token a line, its id the line's number; of equal ones the last counts.</summary>
    public static Vocabulary ReadLines(string text)
    {
        var lines = text.Split('\n');
        // What ends with a newline has no further line.
        var count = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        return new Vocabulary(lines.Take(count).Select((line, id) => KeyValuePair.Create(line, id)));
    }
}
