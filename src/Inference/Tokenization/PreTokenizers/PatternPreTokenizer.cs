using Seq2Seq.Inference.Tokenization.Patterns;

namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>Splits at a pattern (<c>Split</c>, and with a fixed one <c>Punctuation</c>, <c>Digits</c>, <c>CharDelimiterSplit</c>…).</summary>
internal sealed class PatternPreTokenizer(ITextPattern pattern, DelimiterBehavior behavior, bool invert = false)
    : IPreTokenizer
{
    private readonly PatternSplitter _splitter = new(pattern, behavior, invert);

    public void Split(TextPiece piece, List<TextPiece> output) => _splitter.Split(piece, output);
}
