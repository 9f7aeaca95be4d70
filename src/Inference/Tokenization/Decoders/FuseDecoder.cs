namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Makes one text of all tokens, for the decoders behind it (<c>Fuse</c>).</summary>
internal sealed class FuseDecoder : ITokenDecoder
{
    public List<string> Decode(List<string> tokens) => [string.Concat(tokens)];
}
