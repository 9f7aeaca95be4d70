using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>
/// GPT-2's expression, by hand:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal static class Gpt2Words
{
    private enum Kind
    {
        Space,
        Letter,
        Number,
        Other,
        End,
    }

    /// <summary>Every character is in one of the parts.</summary>
    public static void Split(TextPiece piece, List<TextPiece> output)
    {
        var text = piece.Span;
        for (var start = 0; start < text.Length; )
        {
            var length = Contraction(text[start..]);
            if (length == 0)
                length = Word(text[start..]);
            output.Add(piece.Slice(start, length));
            start += length;
        }
    }

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] != '\'')
            return 0;
        if (text[1] is 's' or 't' or 'm' or 'd')
            return 2;
        return text[1..] is ['r', 'e', ..] or ['v', 'e', ..] or ['l', 'l', ..] ? 3 : 0;
    }

    private static int Word(ReadOnlySpan<char> text)
    {
        var kind = KindAt(text, 0, out var length);
        if (kind != Kind.Space)
            return Run(text, length, kind);
        if (text[0] == ' ' && KindAt(text, 1, out var next) is not (Kind.Space or Kind.End) and var word)
            return Run(text, 1 + next, word);
        var end = Run(text, length, Kind.Space);
        // The last space of a run goes to the word behind it; white space is one UTF-16 unit.
        return end < text.Length && end > 1 ? end - 1 : end;
    }

    private static int Run(ReadOnlySpan<char> text, int position, Kind kind)
    {
        while (KindAt(text, position, out var length) == kind)
            position += length;
        return position;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int position, out int length)
    {
        length = 1;
        if (position >= text.Length)
            return Kind.End;
        var character = text[position];
        if (char.IsAscii(character))
        {
            if (char.IsAsciiLetter(character))
                return Kind.Letter;
            if (char.IsAsciiDigit(character))
                return Kind.Number;
            return char.IsWhiteSpace(character) ? Kind.Space : Kind.Other;
        }
        Rune.DecodeFromUtf16(text[position..], out var rune, out length);
        if (Rune.IsLetter(rune))
            return Kind.Letter;
        if (CharacterClass.IsNumeric(rune))
            return Kind.Number;
        return Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other;
    }
}
