namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>Parts of so many characters, the last one shorter (<c>FixedLength</c>).</summary>
internal sealed class FixedLengthPreTokenizer(int length) : IPreTokenizer
{
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        var (start, position, count) = (0, 0, 0);
        foreach (var rune in piece.Span.EnumerateRunes())
        {
            position += rune.Utf16SequenceLength;
            if (++count < length)
                continue;
            output.Add(piece.Slice(start, position - start));
            (start, count) = (position, 0);
        }
        if (start < position)
            output.Add(piece.Slice(start, position - start));
    }
}
