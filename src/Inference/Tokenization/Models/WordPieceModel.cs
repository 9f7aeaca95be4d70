using System.Buffers;

namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>
/// BERT's pieces (<c>WordPiece</c>): the longest token that the rest of the word begins with, those inside a word marked
/// by a prefix. A word that does not come out whole, or is too long, is unknown.
/// </summary>
internal sealed class WordPieceModel(
    Vocabulary vocabulary,
    string unknownToken,
    string continuingPrefix = "##",
    int maxCharactersPerWord = 100
) : ITokenModel
{
    private readonly int? _unknownId = vocabulary.IdOf(unknownToken);
    private readonly int _longest = vocabulary.Ids.Count == 0 ? 0 : vocabulary.Ids.Keys.Max(token => token.Length);

    public int Size => vocabulary.Count;

    public int? IdOf(string token) => vocabulary.IdOf(token);

    public string? TokenOf(int id) => vocabulary.TokenOf(id);

    public void Tokenize(ReadOnlySpan<char> piece, List<int> ids)
    {
        var first = ids.Count;
        if (CountCharacters(piece) <= maxCharactersPerWord && TryTokenize(piece, ids))
            return;
        ids.RemoveRange(first, ids.Count - first);
        ids.Add(_unknownId ?? throw EncodeException.NoUnknownToken(unknownToken));
    }

    public ITokenModel Without(IReadOnlySet<string> tokens)
    {
        var withheld = tokens.Except([unknownToken], StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal);
        return new WordPieceModel(vocabulary.Without(withheld), unknownToken, continuingPrefix, maxCharactersPerWord);
    }

    private bool TryTokenize(ReadOnlySpan<char> word, List<int> ids)
    {
        // Prefix and word side by side, so that each candidate is a span of it.
        var length = continuingPrefix.Length + word.Length;
        var rented = ArrayPool<char>.Shared.Rent(length);
        try
        {
            var text = rented.AsSpan(0, length);
            for (var start = 0; start < word.Length; )
            {
                var prefix = start == 0 ? 0 : continuingPrefix.Length;
                continuingPrefix.AsSpan(0, prefix).CopyTo(text);
                var rest = Math.Min(word.Length - start, Math.Max(0, _longest - prefix));
                word.Slice(start, rest).CopyTo(text[prefix..]);
                while (rest > 0 && !vocabulary.TryGetId(text[..(prefix + rest)], out _))
                    rest -= rest > 1 && char.IsLowSurrogate(text[prefix + rest - 1]) ? 2 : 1;
                if (rest == 0)
                    return false;
                vocabulary.TryGetId(text[..(prefix + rest)], out var id);
                ids.Add(id);
                start += rest;
            }
            return true;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(rented);
        }
    }

    private static int CountCharacters(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }
}
