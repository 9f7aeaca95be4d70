namespace Seq2Seq.Inference.Tokenization;

/// <summary>Which of two sequences is cut when both together are too long.</summary>
internal enum TruncationStrategy
{
    DoNotTruncate,
    LongestFirst,
    OnlyFirst,
    OnlySecond,
}
