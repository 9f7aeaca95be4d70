using Seq2Seq.Inference.Generation.Drafting;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// The decoding of one line: which tokens its rows feed into the next step, and what comes of the step's logits. Rows of a
/// line stand beside rows of other lines in a step; a search sees only its own. Not thread-safe: one loop drives it.
/// </summary>
internal abstract class SequenceSearch
{
    /// <summary>Rows that the next step takes.</summary>
    public abstract int Rows { get; }

    /// <summary>Whether <see cref="Outputs"/> are final.</summary>
    public abstract bool IsFinished { get; }

    /// <summary>Tokens of each row's sequence that are certain, the decoder start token included.</summary>
    public abstract int Length { get; }

    /// <summary>The tokens that a row feeds into the next step: the last of its sequence, or several.</summary>
    public abstract ReadOnlySpan<int> TokensOf(int row);

    /// <summary>Lets the search feed guesses in the next step; the result does not depend on it.</summary>
    /// <param name="most">Guesses at most.</param>
    /// <returns>Number of guesses.</returns>
    public virtual int Draft(int most) => 0;

    /// <summary>
    /// Whether a search of one row that feeds one token needs no more of the step's logits than which is the largest.
    /// </summary>
    /// <param name="wanted">Takes the tokens whose logits it needs besides; no other's does it change.</param>
    public virtual bool NeedsOnlyLikeliest(List<int> wanted) => false;

    /// <summary>The row of the step before that a row continues, so that it inherits its keys and values.</summary>
    public abstract int ParentOf(int row);

    /// <summary>Takes the logits <c>[fed tokens, vocabulary]</c> of a step. They may be overwritten.</summary>
    public abstract void Advance(Span<float> logits);

    /// <summary>The finished sequences, best first, without the decoder start token.</summary>
    public abstract IReadOnlyList<SequenceOutput> Outputs();

    /// <param name="settings">How to decode.</param>
    /// <param name="source">The line's tokens.</param>
    /// <param name="line">The line's number, for sampling.</param>
    /// <param name="earlier">Earlier outputs to guess from, or null: no guesses.</param>
    public static SequenceSearch Create(
        GenerationSettings settings,
        IReadOnlyList<int> source,
        long line,
        DraftTable? earlier
    ) =>
        settings switch
        {
            { NumBeams: > 1 } => new BeamSearch(settings, source, line),
            { Sampling: { } sampling } => new SamplingSearch(settings, sampling, source, line),
            { Drafting: true } when earlier is not null => new GreedySearch(
                settings,
                source,
                new Drafter(earlier, source)
            ),
            _ => new GreedySearch(settings, source, drafter: null),
        };
}
