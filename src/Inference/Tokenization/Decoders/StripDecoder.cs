using System.Text;

namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Takes up to so many of one character off the ends of each token (<c>Strip</c>).</summary>
internal sealed class StripDecoder(Rune content, int start, int stop) : TokenMapDecoder
{
    protected override string Decode(string token, int index, int count)
    {
        var rest = token.AsSpan();
        for (var i = 0; i < start && StartsWith(rest); i++)
            rest = rest[content.Utf16SequenceLength..];
        for (var i = 0; i < stop && EndsWith(rest); i++)
            rest = rest[..^content.Utf16SequenceLength];
        return rest.Length == token.Length ? token : rest.ToString();
    }

    private bool StartsWith(ReadOnlySpan<char> text)
    {
        Rune.DecodeFromUtf16(text, out var first, out var length);
        return length > 0 && first == content;
    }

    private bool EndsWith(ReadOnlySpan<char> text)
    {
        Rune.DecodeLastFromUtf16(text, out var last, out var length);
        return length > 0 && last == content;
    }
}
