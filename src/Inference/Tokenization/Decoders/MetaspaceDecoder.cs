namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Makes spaces of the visible ones, none at the very start where one was put there (<c>Metaspace</c>).</summary>
internal sealed class MetaspaceDecoder(char replacement, bool prepended) : TokenMapDecoder
{
    /// <summary>Whether one was put there.</summary>
    public bool Prepended => prepended;

    protected override string Decode(string token, int index, int count) =>
        index == 0 && Prepended
            ? token.Replace(replacement.ToString(), "", StringComparison.Ordinal)
            : token.Replace(replacement, ' ');
}
