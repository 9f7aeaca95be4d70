using Seq2Seq.Inference.Tokenization.SentencePiece;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>A sentencepiece model whose pieces have the ids of another vocabulary (vocab.json).</summary>
internal sealed class SentencePieceVocabulary
{
    private readonly int[] _idOfPiece;
    private readonly Func<string, int> _idOfToken;

    public SentencePieceVocabulary(SentencePieceProcessor processor, Func<string, int> idOfToken)
    {
        Processor = processor;
        _idOfToken = idOfToken;
        _idOfPiece = [.. processor.Model.Pieces.Select(piece => idOfToken(piece.Text))];
    }

    public SentencePieceProcessor Processor { get; }

    public void Encode(ReadOnlySpan<char> text, List<int> ids) => Processor.Encode(text, _idOfPiece, _idOfToken, ids);

    /// <summary>The text of pieces, without the spaces around it.</summary>
    public static string Join(IEnumerable<string> pieces) =>
        PythonText.Trim(string.Concat(pieces).Replace('\u2581', ' '));

    /// <summary>The piece with this id in the model's own numbering.</summary>
    public string? PieceOf(int id) =>
        id >= 0 && id < Processor.Model.Pieces.Count ? Processor.Model.Pieces[id].Text : null;
}
