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

    // transformers asks for byte fallback first, wherever it stands.
    public byte[]? BytesOf(string token) =>
        decoders.FirstOrDefault(decoder => decoder is ByteFallbackDecoder) is { } fallback
            ? fallback.BytesOf(token)
            : decoders.Select(decoder => decoder.BytesOf(token)).FirstOrDefault(bytes => bytes is not null);
}
