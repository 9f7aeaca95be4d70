using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Removes combining marks (<c>StripAccents</c>); useful behind a decomposition only.</summary>
internal sealed class StripAccentsNormalizer : INormalizer
{
    public void Normalize(NormalizedText text) => text.Filter(rune => !LibraryCharacters.IsMark(rune));
}
