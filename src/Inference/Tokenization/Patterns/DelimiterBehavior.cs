namespace Seq2Seq.Inference.Tokenization.Patterns;

/// <summary>What becomes of the matches when text is split at them (<c>SplitDelimiterBehavior</c>).</summary>
internal enum DelimiterBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}
