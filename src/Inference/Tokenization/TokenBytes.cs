using System.Text;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// What each token adds to a text that has begun already, as bytes of UTF-8: a word's token with its space, half a character
/// where a token is one of bytes. Each is found once. Thread-safe.
/// </summary>
internal sealed class TokenBytes
{
    /// <summary>A beginning that any vocabulary can spell: what stands first in a text often loses its space.</summary>
    private const string Beginning = "abcdef";

    private static readonly DecodeOptions Verbatim = new()
    {
        SkipSpecialTokens = false,
        CleanUpTokenizationSpaces = false,
    };

    private readonly Tokenizer _tokenizer;
    private readonly byte[]?[] _known;
    private readonly IReadOnlyList<int> _beginning;
    private readonly string _beginningText;

    public TokenBytes(Tokenizer tokenizer, int vocabularySize)
    {
        _tokenizer = tokenizer;
        _known = new byte[vocabularySize][];
        _beginning = tokenizer.Encode(Beginning, new EncodeOptions { AddSpecialTokens = false, AsTarget = true });
        _beginningText = tokenizer.Decode(_beginning, Verbatim);
    }

    public ReadOnlySpan<byte> Of(int tokenId) =>
        (uint)tokenId < (uint)_known.Length ? _known[tokenId] ??= Find(tokenId) : [];

    private byte[] Find(int tokenId)
    {
        if (_tokenizer.BytesOf(tokenId) is { } bytes)
        {
            return bytes;
        }

        string text = _tokenizer.Decode([.. _beginning, tokenId], Verbatim);
        return Encoding.UTF8.GetBytes(
            text.StartsWith(_beginningText, StringComparison.Ordinal) ? text[_beginningText.Length..] : text
        );
    }
}
