namespace Seq2Seq.Inference.Generation.Stopping;

/// <summary>
/// When the sequences of one line end: an end token, a stop string, the length, the time (generation/stopping_criteria.py). The
/// time begins with this object.
/// </summary>
internal sealed class StoppingCriteria(GenerationSettings settings)
{
    private readonly long _start = settings.Time.GetTimestamp();

    /// <summary>Whether what is generated now is the last token.</summary>
    public bool IsTimeUp => settings.MaxTime is { } most && settings.Time.GetElapsedTime(_start) > most;

    /// <summary>Whether the tokens before the last one matter.</summary>
    public bool LooksAtSequence => settings.StopStrings is not null;

    /// <summary>Why a sequence ends with its last token; null while it goes on.</summary>
    public FinishReason? ReasonToEnd(ReadOnlySpan<int> sequence, bool isTimeUp) =>
        settings.StopStrings?.Matches(sequence) == true
            ? FinishReason.Stop
            : ReasonToEnd(sequence[^1], sequence.Length, isTimeUp);

    /// <summary>The same of a last token alone, where there are no stop strings.</summary>
    public FinishReason? ReasonToEnd(int token, int length, bool isTimeUp) =>
        settings.EosTokenIds.Contains(token) ? FinishReason.Stop
        : length >= settings.MaxLength ? FinishReason.Length
        : isTimeUp ? FinishReason.Time
        : null;
}
