using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Lower case, each character by itself (<c>Lowercase</c>).</summary>
internal sealed class LowercaseNormalizer : INormalizer
{
    public void Normalize(NormalizedText text) => text.Map(Casing.ToLower);
}
