namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>One after the other (<c>Sequence</c>).</summary>
internal sealed class DecoderSequence(IReadOnlyList<ITokenDecoder> decoders) : ITokenDecoder
{
    public List<string> Decode(List<string> tokens)
    {
        foreach (var decoder in decoders)
            tokens = decoder.Decode(tokens);
        return tokens;
    }
}
