namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Makes a space of the suffix that ends words, none behind the last (<c>BPEDecoder</c>).</summary>
internal sealed class BpeDecoder(string suffix) : TokenMapDecoder
{
    protected override string Decode(string token, int index, int count) =>
        suffix.Length == 0 ? token : token.Replace(suffix, index == count - 1 ? "" : " ", StringComparison.Ordinal);
}
