namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Joins the pieces of words, spaces between words (<c>WordPiece</c>).</summary>
internal sealed class WordPieceDecoder(string prefix, bool cleanUp) : TokenMapDecoder
{
    protected override string Decode(string token, int index, int count)
    {
        if (index > 0)
            token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
        return cleanUp ? CleanUp(token) : token;
    }

    /// <summary>As the library has it: not quite what transformers does, and token by token.</summary>
    public static string CleanUp(string text) =>
        text.Replace(" .", ".", StringComparison.Ordinal)
            .Replace(" ?", "?", StringComparison.Ordinal)
            .Replace(" !", "!", StringComparison.Ordinal)
            .Replace(" ,", ",", StringComparison.Ordinal)
            .Replace(" ' ", "'", StringComparison.Ordinal)
            .Replace(" n't", "n't", StringComparison.Ordinal)
            .Replace(" 'm", "'m", StringComparison.Ordinal)
            .Replace(" do not", " don't", StringComparison.Ordinal)
            .Replace(" 's", "'s", StringComparison.Ordinal)
            .Replace(" 've", "'ve", StringComparison.Ordinal)
            .Replace(" 're", "'re", StringComparison.Ordinal);
}
