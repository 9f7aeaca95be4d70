namespace Seq2Seq.Inference.Tokenization.Patterns;

/// <summary>Something to look for in a text.</summary>
internal interface ITextPattern
{
    /// <summary>Adds the matches and what lies between them, in order, covering the whole text.</summary>
    void Find(ReadOnlySpan<char> text, List<PatternSpan> output);
}

internal readonly record struct PatternSpan(int Start, int Length, bool IsMatch);
