using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>
/// Byte-pair encoding (Sennrich 2016; <c>BPE</c> of the tokenizers library): beginning with single characters, of all
/// neighbours the pair of the lowest rank is joined, the leftmost of equals, until no pair is left.
/// </summary>
internal sealed class BpeModel : ITokenModel
{
    private const int MaxCachedWords = 20_000;
    private const int MaxCachedLength = 64;

    private readonly Vocabulary _vocabulary;
    private readonly Dictionary<(int Left, int Right), Merge> _merges;
    private readonly BpeOptions _options;
    private readonly int? _unknownId;
    private readonly int[]? _byteIds;
    private readonly ConcurrentDictionary<string, int[]> _cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cached;

    /// <exception cref="InvalidDataException">A merge of tokens that the vocabulary lacks.</exception>
    public BpeModel(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, BpeOptions options)
    {
        (_vocabulary, _options) = (vocabulary, options);
        _unknownId = options.UnknownToken is null ? null : vocabulary.IdOf(options.UnknownToken);
        _merges = new Dictionary<(int, int), Merge>(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            var joined = left + right[Math.Min(options.ContinuingPrefix?.Length ?? 0, right.Length)..];
            _merges[(Require(left), Require(right))] = new Merge(rank, Require(joined));
        }
        if (options.ByteFallback)
            _byteIds = [.. Enumerable.Range(0, 256).Select(value => vocabulary.IdOf(BytePiece(value)) ?? -1)];
        _cached = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    private BpeModel(BpeModel whole, IReadOnlySet<string> withheld)
    {
        (_options, _unknownId, _byteIds) = (whole._options, whole._unknownId, whole._byteIds);
        _vocabulary = whole._vocabulary.Without(withheld);
        _merges = whole
            ._merges.Where(merge => !withheld.Contains(whole.TokenOf(merge.Value.Id)!))
            .ToDictionary(merge => merge.Key, merge => merge.Value);
        _cached = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public int Size => _vocabulary.Count;

    public int? IdOf(string token) => _vocabulary.IdOf(token);

    public string? TokenOf(int id) => _vocabulary.TokenOf(id);

    public void Tokenize(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.IsEmpty)
            return;
        if (_options.IgnoreMerges && _vocabulary.TryGetId(piece, out var whole))
        {
            ids.Add(whole);
            return;
        }
        if (piece.Length > MaxCachedLength)
        {
            ids.AddRange(Encode(piece));
            return;
        }
        if (!_cached.TryGetValue(piece, out var tokens))
        {
            tokens = Encode(piece);
            if (_cache.Count < MaxCachedWords)
                _cached.TryAdd(piece, tokens);
        }
        ids.AddRange(tokens);
    }

    public ITokenModel Without(IReadOnlySet<string> tokens) => new BpeModel(this, tokens);

    private static string BytePiece(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    private int Require(string token) =>
        _vocabulary.IdOf(token) ?? throw new InvalidDataException($"A merge needs the token '{token}', which is none.");

    private int[] Encode(ReadOnlySpan<char> word)
    {
        var symbols = Split(word);
        new BpeMerger(_merges).Join(symbols);
        return [.. symbols];
    }

    private List<int> Split(ReadOnlySpan<char> word)
    {
        var symbols = new List<int>(word.Length);
        var unknownPending = false;
        for (var start = 0; start < word.Length; )
        {
            Rune.DecodeFromUtf16(word[start..], out _, out var length);
            var character = word.Slice(start, length);
            var isLast = start + length == word.Length;
            if (TryGetId(character, isFirst: start == 0, isLast, out var id, out var written))
            {
                if (unknownPending)
                    symbols.Add(_unknownId!.Value);
                unknownPending = false;
                symbols.Add(id);
            }
            // The library holds an unknown back while it adds the bytes of those behind it.
            else if (!TryAddBytes(written ?? character.ToString(), symbols) && _options.UnknownToken is not null)
            {
                var unknown = _unknownId ?? throw EncodeException.NoUnknownToken(_options.UnknownToken);
                if (unknownPending && !_options.FuseUnknown)
                    symbols.Add(unknown);
                unknownPending = true;
            }
            start += length;
        }
        if (unknownPending)
            symbols.Add(_unknownId!.Value);
        return symbols;
    }

    private bool TryGetId(ReadOnlySpan<char> character, bool isFirst, bool isLast, out int id, out string? written)
    {
        var prefix = isFirst ? null : _options.ContinuingPrefix;
        var suffix = isLast ? _options.EndOfWordSuffix : null;
        if (string.IsNullOrEmpty(prefix) && string.IsNullOrEmpty(suffix))
        {
            written = null;
            return _vocabulary.TryGetId(character, out id);
        }
        written = $"{prefix}{character}{suffix}";
        return _vocabulary.TryGetId(written, out id);
    }

    private bool TryAddBytes(string character, List<int> symbols)
    {
        if (_byteIds is null)
            return false;
        var bytes = Encoding.UTF8.GetBytes(character);
        if (Array.Exists(bytes, value => _byteIds[value] < 0))
            return false;
        foreach (var value in bytes)
            symbols.Add(_byteIds[value]);
        return true;
    }
}

/// <summary>How a pair ranks, and what it becomes.</summary>
internal readonly record struct Merge(int Rank, int Id);

internal sealed record BpeOptions
{
    /// <summary>Null: characters without a token are left out.</summary>
    public string? UnknownToken { get; init; }
    public string? ContinuingPrefix { get; init; }
    public string? EndOfWordSuffix { get; init; }
    public bool FuseUnknown { get; init; }
    public bool ByteFallback { get; init; }

    /// <summary>A piece that is a token stays whole.</summary>
    public bool IgnoreMerges { get; init; }
}
