namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Drops repetitions and padding of an alignment (<c>CTC</c>).</summary>
internal sealed class CtcDecoder(string padToken, string wordDelimiter, bool cleanUp) : ITokenDecoder
{
    public List<string> Decode(List<string> tokens)
    {
        var result = new List<string>();
        string? previous = null;
        foreach (var token in tokens)
        {
            if (token == previous)
                continue;
            previous = token;
            var text = padToken.Length == 0 ? token : token.Replace(padToken, "", StringComparison.Ordinal);
            if (cleanUp && wordDelimiter.Length > 0)
                text = WordPieceDecoder.CleanUp(text).Replace(wordDelimiter, " ", StringComparison.Ordinal);
            if (text.Length > 0)
                result.Add(text);
        }
        return result;
    }
}
