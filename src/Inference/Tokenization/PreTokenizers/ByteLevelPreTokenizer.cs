using Seq2Seq.Inference.Tokenization.Models;

namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>GPT-2's words, each byte written as a printable character (<c>ByteLevel</c>).</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex) : IPreTokenizer
{
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        if (piece.Length == 0)
            return;
        if (addPrefixSpace && piece.Span[0] != ' ')
            piece = TextPiece.Of(" " + piece.ToString(), piece.AtOrigin == 0 ? 0 : piece.AtOrigin + 1);
        var first = output.Count;
        if (useRegex)
            Gpt2Words.Split(piece, output);
        else
            output.Add(piece);
        for (var i = first; i < output.Count; i++)
            output[i] = Encode(output[i]);
    }

    private static TextPiece Encode(TextPiece piece)
    {
        var encoded = ByteAlphabet.Encode(piece.Span);
        var atOrigin = piece.AtOrigin == 0 ? 0 : ByteAlphabet.Encode(piece.Span[..piece.AtOrigin]).Length;
        return TextPiece.Of(encoded, atOrigin);
    }
}
