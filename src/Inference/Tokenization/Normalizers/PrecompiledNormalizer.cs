using System.Globalization;
using System.Text;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>
/// A sentencepiece charsmap as Hugging Face applies it (<c>Precompiled</c>): a grapheme cluster of under six bytes is
/// looked up whole, and the first rule that its beginning matches replaces all of it; else character by character.
/// sentencepiece itself takes the longest match at each place.
/// </summary>
internal sealed class PrecompiledNormalizer(CharsMap charsMap) : INormalizer
{
    private const int MaxClusterBytes = 5;

    public void Normalize(NormalizedText text)
    {
        if (IsPlain(text.Text))
            return;
        var result = new StringBuilder(text.Text.Length + 16);
        var (position, atOrigin, changed) = (0, 0, false);
        while (position < text.Text.Length)
        {
            var cluster = text.Text.AsSpan(position, StringInfo.GetNextTextElementLength(text.Text, position));
            var before = result.Length;
            changed |= Append(cluster, result);
            if (position < text.AtOrigin)
                atOrigin = AtOrigin(cluster, result.Length - before) + before;
            position += cluster.Length;
        }
        if (changed)
            text.Replace(result.ToString(), atOrigin);
    }

    private bool Append(ReadOnlySpan<char> cluster, StringBuilder result)
    {
        Span<byte> utf8 = stackalloc byte[MaxClusterBytes];
        if (
            Encoding.UTF8.TryGetBytes(cluster, utf8, out var length)
            && charsMap.Shortest(utf8[..length], out var whole) > 0
        )
        {
            result.Append(Encoding.UTF8.GetString(whole));
            return true;
        }
        var changed = false;
        foreach (var rune in cluster.EnumerateRunes())
        {
            length = rune.EncodeToUtf8(utf8);
            if (charsMap.Shortest(utf8[..length], out var single) > 0)
            {
                result.Append(Encoding.UTF8.GetString(single));
                changed = true;
            }
            else
            {
                result.Append(rune.ToString());
            }
        }
        return changed;
    }

    // One character that becomes several stays where it was with all of them.
    private static int AtOrigin(ReadOnlySpan<char> cluster, int written)
    {
        Rune.DecodeFromUtf16(cluster, out _, out var first);
        return first == cluster.Length ? written : Math.Min(1, written);
    }

    private bool IsPlain(string text)
    {
        foreach (var character in text)
        {
            if (character >= 128 || !charsMap.IsPlain((byte)character))
                return false;
        }
        return true;
    }
}
