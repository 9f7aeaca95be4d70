using Seq2Seq.Inference.Tokenization.Models;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Writes each UTF-8 byte as a printable character (<c>ByteLevel</c>).</summary>
internal sealed class ByteLevelNormalizer : INormalizer
{
    public void Normalize(NormalizedText text) => text.Map(whole => ByteAlphabet.Encode(whole));
}
