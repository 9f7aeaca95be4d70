using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Generation.Drafting;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>One source line that waits for its outputs.</summary>
internal sealed class LineRequest(
    IReadOnlyList<int> source,
    GenerationSettings settings,
    CancellationToken cancellationToken
)
{
    // A caller's code must not run on the loop's thread.
    private readonly TaskCompletionSource<IReadOnlyList<SequenceOutput>> _outputs = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );

    /// <summary>Token ids, at least one.</summary>
    public IReadOnlyList<int> Source { get; } = source;

    public GenerationSettings Settings { get; } = settings;

    /// <summary>The number of the line in what the caller has, or of its piece, for sampling.</summary>
    public long Line { get; init; }

    /// <summary>What to score instead of generating.</summary>
    public IReadOnlyList<int>? Target { get; init; }

    /// <summary>Sequences side by side at most.</summary>
    public int MaxSequences => Target is null ? Settings.MaxRows : 1;

    /// <summary>Rows that the line takes in a step at most, guessed tokens aside.</summary>
    public int MaxRows => Target is null ? Settings.MaxRows : TargetScoring.RowsOf(Target);

    public bool IsCancelled => cancellationToken.IsCancellationRequested;

    /// <summary>The outputs, best first, once the line is decoded.</summary>
    public Task<IReadOnlyList<SequenceOutput>> Outputs => _outputs.Task;

    /// <param name="earlier">Earlier outputs to guess from, or null: no guesses.</param>
    public SequenceSearch CreateSearch(DraftTable? earlier) =>
        Target is null ? SequenceSearch.Create(Settings, Source, Line, earlier) : new TargetScoring(Settings, Target);

    public void Complete(IReadOnlyList<SequenceOutput> outputs) => _outputs.TrySetResult(outputs);

    public void Cancel() => _outputs.TrySetCanceled(cancellationToken);

    public void Fail(Exception exception) => _outputs.TrySetException(exception);
}
