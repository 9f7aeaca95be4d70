using System.Text;
using Seq2Seq.Inference.Tokenization.Patterns;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Replaces what a text or an expression matches (<c>Replace</c>).</summary>
internal sealed class ReplaceNormalizer(ITextPattern pattern, string content) : INormalizer
{
    public void Normalize(NormalizedText text)
    {
        var spans = new List<PatternSpan>();
        pattern.Find(text.Text, spans);
        if (!spans.Exists(span => span.IsMatch))
            return;
        var result = new StringBuilder(text.Text.Length);
        var atOrigin = 0;
        foreach (var (start, length, isMatch) in spans)
        {
            if (isMatch)
                result.Append(content);
            else
                result.Append(text.Text, start, length);
            // What is inserted counts as a continuation of the last character that it replaces.
            if (text.AtOrigin > 0 && (isMatch ? start + length <= text.AtOrigin : start < text.AtOrigin))
                atOrigin = isMatch ? result.Length : result.Length - length + Math.Min(length, text.AtOrigin - start);
        }
        text.Replace(result.ToString(), atOrigin);
    }
}
