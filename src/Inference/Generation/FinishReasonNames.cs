namespace Seq2Seq.Inference.Generation;

/// <summary>How a <see cref="FinishReason"/> is written.</summary>
public static class FinishReasonNames
{
    public static string ToName(this FinishReason reason) =>
        reason switch
        {
            FinishReason.Stop => "stop",
            FinishReason.Length => "length",
            FinishReason.Time => "time",
            _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "expected a reason"),
        };
}
