using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>Words between white space, every punctuation mark by itself (<c>BertPreTokenizer</c>).</summary>
internal sealed class BertPreTokenizer : IPreTokenizer
{
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        var (start, position) = (0, 0);
        foreach (var rune in piece.Span.EnumerateRunes())
        {
            var next = position + rune.Utf16SequenceLength;
            var isSpace = Rune.IsWhiteSpace(rune);
            if (isSpace || LibraryCharacters.IsPunctuation(rune))
            {
                if (start < position)
                    output.Add(piece.Slice(start, position - start));
                if (!isSpace)
                    output.Add(piece.Slice(position, next - position));
                start = next;
            }
            position = next;
        }
        if (start < position)
            output.Add(piece.Slice(start, position - start));
    }
}
