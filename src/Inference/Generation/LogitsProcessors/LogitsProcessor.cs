namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>
/// Changes the scores of one row's next token. Greedy search gives it logits, beam search log-probabilities, as
/// transformers does (generation/logits_process.py).
/// </summary>
internal abstract class LogitsProcessor
{
    /// <param name="sequence">The row's tokens so far, the decoder start token first.</param>
    /// <param name="scores">One score for every token of the vocabulary.</param>
    public abstract void Apply(ReadOnlySpan<int> sequence, Span<float> scores);
}
