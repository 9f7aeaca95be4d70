namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>
/// Writes spaces as a visible character (▁), puts one before the text and cuts before each (<c>Metaspace</c>).
/// </summary>
internal sealed class MetaspacePreTokenizer(char replacement, PrependScheme scheme, bool split) : IPreTokenizer
{
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        var text = Write(piece);
        if (!split)
        {
            if (text.Length > 0)
                output.Add(text);
            return;
        }
        var span = text.Span;
        for (var start = 0; start < span.Length; )
        {
            // A run of separators: each but the last stands alone.
            var next = start + 1;
            if (!(span[start] == replacement && next < span.Length && span[next] == replacement))
            {
                while (next < span.Length && span[next] != replacement)
                    next++;
            }
            output.Add(text.Slice(start, next - start));
            start = next;
        }
    }

    private TextPiece Write(TextPiece piece)
    {
        var text = piece.Span;
        var prepend =
            text.Length > 0
            && text[0] != ' '
            && text[0] != replacement
            && (scheme == PrependScheme.Always || (scheme == PrependScheme.First && piece.AtOrigin > 0));
        if (!prepend && !text.Contains(' '))
            return piece;
        var written = new char[text.Length + (prepend ? 1 : 0)];
        if (prepend)
            written[0] = replacement;
        text.Replace(written.AsSpan(prepend ? 1 : 0), ' ', replacement);
        return TextPiece.Of(new string(written), piece.AtOrigin == 0 || !prepend ? piece.AtOrigin : piece.AtOrigin + 1);
    }
}

internal enum PrependScheme
{
    Always,

    /// <summary>Only where the text begins.</summary>
    First,
    Never,
}
