namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>Each cuts the parts that the one before has left (<c>Sequence</c>).</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<IPreTokenizer> preTokenizers) : IPreTokenizer
{
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        var pieces = new List<TextPiece> { piece };
        foreach (var preTokenizer in preTokenizers)
        {
            var parts = new List<TextPiece>(pieces.Count);
            foreach (var part in pieces)
                preTokenizer.Split(part, parts);
            pieces = parts;
        }
        output.AddRange(pieces);
    }
}
