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

    /// <summary>Says beforehand of which tokens alone <see cref="Apply"/> may change the scores.</summary>
    /// <param name="sequence">The row's tokens so far.</param>
    /// <param name="tokens">These tokens are added to it; one may be twice.</param>
    /// <returns>False when it may be any, or depends on the scores of others.</returns>
    public virtual bool TryFindChanged(ReadOnlySpan<int> sequence, List<int> tokens) => false;
}
