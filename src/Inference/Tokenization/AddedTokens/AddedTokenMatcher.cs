using System.Buffers;
using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.AddedTokens;

/// <summary>
/// Cuts text at added tokens: the leftmost match, the longest of those (<c>AddedVocabulary::find_matches</c> of the
/// tokenizers library, including its order of checks).
/// </summary>
internal sealed class AddedTokenMatcher
{
    private readonly SearchValues<char> _firstCharacters;
    private readonly Dictionary<char, (string Text, AddedToken Token, int Id)[]> _byFirstCharacter;

    /// <summary>The tokens with the text that each is searched by.</summary>
    public AddedTokenMatcher(IEnumerable<(string Text, AddedToken Token, int Id)> tokens)
    {
        _byFirstCharacter = tokens
            .Where(token => token.Text.Length > 0)
            .GroupBy(token => token.Text[0])
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Text.Length).ToArray());
        _firstCharacters = SearchValues.Create([.. _byFirstCharacter.Keys]);
    }

    public bool IsEmpty => _byFirstCharacter.Count == 0;

    /// <summary>False for text that has no token in it, told at a glance.</summary>
    public bool MayOccurIn(ReadOnlySpan<char> text) => text.ContainsAny(_firstCharacters);

    /// <summary>Covers the whole text, in order; empty text gives one empty segment.</summary>
    public void Split(ReadOnlySpan<char> text, bool ignoreSpecial, List<TextSegment> output)
    {
        var (done, from) = (0, 0);
        while (Find(text, from, out var at, out var found))
        {
            var (start, stop) = (at, at + found.Text.Length);
            from = stop;
            if (found.Token.Special && ignoreSpecial)
                continue;
            if (found.Token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[stop..])))
                continue;
            // Spaces that the token before has swallowed are gone.
            if (found.Token.StripLeft)
                start = Math.Max(text[..start].TrimEnd().Length, done);
            if (found.Token.StripRight)
                stop = text.Length - text[stop..].TrimStart().Length;
            if (done < start)
                output.Add(new TextSegment(done, start - done, null));
            output.Add(new TextSegment(start, stop - start, found.Id));
            done = stop;
        }
        if (done != text.Length || text.IsEmpty)
            output.Add(new TextSegment(done, text.Length - done, null));
    }

    private bool Find(ReadOnlySpan<char> text, int from, out int at, out (string Text, AddedToken Token, int Id) found)
    {
        for (at = from; at < text.Length; at++)
        {
            var next = text[at..].IndexOfAny(_firstCharacters);
            if (next < 0)
                break;
            at += next;
            foreach (var candidate in _byFirstCharacter[text[at]])
            {
                if (text[at..].StartsWith(candidate.Text, StringComparison.Ordinal))
                {
                    found = candidate;
                    return true;
                }
            }
        }
        found = default;
        return false;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var last, out _) == OperationStatus.Done && CharacterClass.IsWord(last);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var first, out _) == OperationStatus.Done && CharacterClass.IsWord(first);
}
