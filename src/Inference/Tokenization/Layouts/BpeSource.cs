using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// Vocabulary, merges and charsmap for the classes that build a byte-pair pipeline of their own: from a tokenizer.json,
/// else from a sentencepiece model, whose merges follow from its pieces.
/// </summary>
internal sealed record BpeSource(
    Vocabulary Vocabulary,
    IReadOnlyList<(string Left, string Right)> Merges,
    CharsMap? CharsMap,
    IReadOnlyList<AddedToken>? Further
)
{
    /// <param name="arrange">The order that the class gives to the pieces of a sentencepiece model.</param>
    public static BpeSource Read(
        TokenizerFolder folder,
        string file,
        Func<IEnumerable<string>, IEnumerable<KeyValuePair<string, int>>> arrange
    )
    {
        if (folder.TokenizerJson is { } json)
        {
            if (ModelReader.TypeOf(json.Model) != "BPE")
                throw new InvalidDataException($"Its model is {ModelReader.TypeOf(json.Model)}; this class needs BPE.");
            return new BpeSource(
                Vocabulary.Read(json.Model.GetProperty("vocab")),
                BpeMerges.Read(json.Model.GetProperty("merges")),
                json.ReadCharsMap(),
                folder.Settings.AdditionalSpecialTokens
            );
        }
        var model = folder.SentencePiece(file);
        var pieces = model.Pieces.Select(piece => piece.Text);
        var charsMap = model.Normalizer.CharsMap;
        return new BpeSource(
            new Vocabulary(arrange(pieces)),
            BpeMerges.Generate(InOrder(pieces).Ids),
            charsMap.Length == 0 ? null : CharsMap.Read(charsMap),
            UnigramSource.SymbolsOf(model)
        );
    }

    /// <summary>Each piece's id is its place.</summary>
    public static Vocabulary InOrder(IEnumerable<string> pieces) =>
        new(pieces.Select((piece, id) => KeyValuePair.Create(piece, id)));
}
