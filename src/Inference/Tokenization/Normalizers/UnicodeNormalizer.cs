using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Unicode's normalisation forms (<c>NFC</c>, <c>NFD</c>, <c>NFKC</c>, <c>NFKD</c>).</summary>
internal sealed class UnicodeNormalizer(NormalizationForm form) : INormalizer
{
    public void Normalize(NormalizedText text) => text.Map(whole => LibraryCharacters.Normalize(whole, form));
}
