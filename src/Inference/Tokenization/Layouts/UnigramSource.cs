using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// Pieces, scores and charsmap for the classes that build a Unigram pipeline of their own: from a tokenizer.json, else
/// from a sentencepiece model whose pieces the class puts into its own order.
/// </summary>
internal sealed record UnigramSource(
    IReadOnlyList<(string Token, double Score)> Pieces,
    CharsMap? CharsMap,
    IReadOnlyList<AddedToken>? Further
)
{
    /// <summary>What the charsmap makes of text; null: there is none.</summary>
    public INormalizer? Normalizer => CharsMap is null ? null : new PrecompiledNormalizer(CharsMap);

    public static UnigramSource Read(
        TokenizerFolder folder,
        string file,
        Func<IReadOnlyList<(string Token, double Score)>, IEnumerable<(string Token, double Score)>> arrange
    )
    {
        if (folder.TokenizerJson is { } json)
        {
            if (ModelReader.TypeOf(json.Model) != "Unigram")
                throw new InvalidDataException(
                    $"Its model is {ModelReader.TypeOf(json.Model)}; this class needs Unigram."
                );
            var pieces = ModelReader.ReadScores(json.Model.GetProperty("vocab"));
            return new UnigramSource(pieces, json.ReadCharsMap(), folder.Settings.AdditionalSpecialTokens);
        }
        var model = folder.SentencePiece(file);
        var charsMap = model.Normalizer.CharsMap;
        return new UnigramSource(
            [.. arrange([.. model.Pieces.Select(piece => (piece.Text, (double)piece.Score))])],
            charsMap.Length == 0 ? null : CharsMap.Read(charsMap),
            SymbolsOf(model)
        );
    }

    /// <summary>Control symbols and user-defined ones, which transformers makes added tokens of.</summary>
    public static IReadOnlyList<AddedToken> SymbolsOf(SentencePieceModel model) =>
        [
            .. model
                .Pieces.Where(piece => piece.Type is PieceType.Control or PieceType.UserDefined)
                .Select(piece => new AddedToken(piece.Text) { Special = piece.Type == PieceType.Control }),
        ];
}
