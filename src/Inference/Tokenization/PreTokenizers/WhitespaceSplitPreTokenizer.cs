namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>Cuts at white space, which goes (<c>WhitespaceSplit</c>).</summary>
internal sealed class WhitespaceSplitPreTokenizer : IPreTokenizer
{
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        var text = piece.Span;
        for (var position = 0; position < text.Length; )
        {
            if (char.IsWhiteSpace(text[position]))
            {
                position++;
                continue;
            }
            var end = position + 1;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
                end++;
            output.Add(piece.Slice(position, end - position));
            position = end;
        }
    }
}
