using Seq2Seq.Inference.Tokenization.AddedTokens;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// The order of fairseq's vocabularies (mBART): beginning, padding, end and unknown come first, the pieces of the
/// sentencepiece model behind its own three, then the languages, then the mask.
/// </summary>
internal static class FairseqOrder
{
    private const int OwnPieces = 3;

    public const int UnknownId = 3;

    public static IEnumerable<(string Token, double Score)> Arrange(
        IEnumerable<(string Token, double Score)> pieces,
        IEnumerable<AddedToken> first,
        IEnumerable<string> languages,
        string mask
    ) =>
        first
            .Select(token => (token.Content, 0.0))
            .Concat(pieces.Skip(OwnPieces))
            .Concat(languages.Append(mask).Select(token => (token, 0.0)));
}
