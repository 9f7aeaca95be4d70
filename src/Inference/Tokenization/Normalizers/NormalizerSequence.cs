namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>One rule after the other (<c>Sequence</c>).</summary>
internal sealed class NormalizerSequence(IReadOnlyList<INormalizer> normalizers) : INormalizer
{
    public void Normalize(NormalizedText text)
    {
        foreach (var normalizer in normalizers)
            normalizer.Normalize(text);
    }
}
