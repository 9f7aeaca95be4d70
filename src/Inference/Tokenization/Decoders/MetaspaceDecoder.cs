namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Makes spaces of the visible ones, none at the very start where one was put there (<c>Metaspace</c>).</summary>
internal sealed class MetaspaceDecoder(char replacement, bool prepended) : TokenMapDecoder
{
    protected override string Decode(string token, int index, int count) =>
        index == 0 && prepended
            ? token.Replace(replacement.ToString(), "", StringComparison.Ordinal)
            : token.Replace(replacement, ' ');
}
