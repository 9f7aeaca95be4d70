namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Removes white space at the ends (<c>Strip</c>).</summary>
internal sealed class StripNormalizer(bool left, bool right) : INormalizer
{
    public void Normalize(NormalizedText text)
    {
        var kept = text.Text;
        if (left)
            kept = kept.TrimStart();
        var removed = text.Text.Length - kept.Length;
        if (right)
            kept = kept.TrimEnd();
        if (kept.Length != text.Text.Length)
            text.Replace(kept, Math.Max(0, text.AtOrigin - removed));
    }
}
