using System.Text;
using Seq2Seq.Inference.Tokenization.Patterns;

namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Replaces what a pattern matches in each token (<c>Replace</c>).</summary>
internal sealed class ReplaceDecoder(ITextPattern pattern, string content) : TokenMapDecoder
{
    protected override string Decode(string token, int index, int count)
    {
        var spans = new List<PatternSpan>();
        pattern.Find(token, spans);
        if (!spans.Exists(span => span.IsMatch))
            return token;
        var result = new StringBuilder(token.Length);
        foreach (var (start, length, isMatch) in spans)
            result.Append(isMatch ? content : token.AsSpan(start, length));
        return result.ToString();
    }
}
