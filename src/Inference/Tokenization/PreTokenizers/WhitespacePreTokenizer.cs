using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>Runs of word characters and runs of others; white space goes (<c>Whitespace</c>: <c>\w+|[^\w\s]+</c>).</summary>
internal sealed class WhitespacePreTokenizer : IPreTokenizer
{
    private enum Kind
    {
        Space,
        Word,
        Other,
    }

    public void Split(TextPiece piece, List<TextPiece> output)
    {
        var (start, position, kind) = (0, 0, Kind.Space);
        foreach (var rune in piece.Span.EnumerateRunes())
        {
            var next = KindOf(rune);
            if (next != kind)
            {
                if (kind != Kind.Space)
                    output.Add(piece.Slice(start, position - start));
                (start, kind) = (position, next);
            }
            position += rune.Utf16SequenceLength;
        }
        if (kind != Kind.Space)
            output.Add(piece.Slice(start, position - start));
    }

    private static Kind KindOf(Rune rune)
    {
        if (CharacterClass.IsWord(rune))
            return Kind.Word;
        return Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other;
    }
}
