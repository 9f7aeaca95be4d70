namespace Seq2Seq.Jobs.Submission;

/// <summary>A submit is refused: the caller must change the request. Nothing was stored.</summary>
/// <param name="code">One of <see cref="SubmissionCodes"/>.</param>
/// <param name="field">The field at fault, such as <c>model</c> or <c>parameters.num_beams</c>.</param>
public sealed class SubmissionException(string code, string field, string message) : Exception(message)
{
    public string Code { get; } = code;

    public string Field { get; } = field;

    /// <summary>What the field was, where the message says it too.</summary>
    public string? Found { get; init; }

    /// <summary>What it can be, where the message says it too.</summary>
    public string? Expected { get; init; }
}
