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

    /// <summary>Why a sequence ends with its last token; null while it goes on.</summary>
    public FinishReason? ReasonToEnd(ReadOnlySpan<int> sequence, bool isTimeUp) =>
        settings.EosTokenIds.Contains(sequence[^1]) ? FinishReason.Stop
        : settings.StopStrings?.Matches(sequence) == true ? FinishReason.Stop
        : sequence.Length >= settings.MaxLength ? FinishReason.Length
        : isTimeUp ? FinishReason.Time
        : null;
}
