namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>A decoder that rewrites each token by itself, knowing its place and how many there are.</summary>
internal abstract class TokenMapDecoder : ITokenDecoder
{
    public List<string> Decode(List<string> tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
            tokens[i] = Decode(tokens[i], i, tokens.Count);
        return tokens;
    }

    protected abstract string Decode(string token, int index, int count);
}
