namespace Seq2Seq.Inference.Loading;

/// <summary>
/// What saves work without changing an output, beside drafting, which is a generation parameter. Each can be switched off, to
/// find out what it is worth.
/// </summary>
public sealed record LosslessSavings
{
    /// <summary>Equal lines of a call, or of a job, are computed once, unless outputs are drawn at random.</summary>
    public bool EqualLines { get; init; } = true;

    /// <summary>Lines are encoded end to end. Without it each is filled up to the longest that is encoded with it.</summary>
    public bool PaddingRemoval { get; init; } = true;

    /// <summary>
    /// Where only the likeliest token is asked for (greedy search without scores), 8-bit products with a proven bound choose the
    /// tokens whose logits are computed. Without it all are.
    /// </summary>
    public bool Screening { get; init; } = true;
}
