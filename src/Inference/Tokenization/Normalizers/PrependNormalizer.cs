namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Puts a text before every text that is not empty (<c>Prepend</c>).</summary>
internal sealed class PrependNormalizer(string prefix) : INormalizer
{
    public void Normalize(NormalizedText text)
    {
        if (!text.IsEmpty)
            text.Replace(prefix + text.Text, text.AtOrigin == 0 ? 0 : prefix.Length + text.AtOrigin);
    }
}
