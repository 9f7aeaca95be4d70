namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>A rule that rewrites text before it is cut (a <c>normalizer</c> of tokenizer.json).</summary>
internal interface INormalizer
{
    void Normalize(NormalizedText text);
}
