namespace Seq2Seq.Inference.Weights;

/// <summary>A parameter and the stored tensor that will fill it.</summary>
/// <param name="Name">The parameter's own name: the first of a tied group, whichever member is stored.</param>
/// <param name="Stored">Where its values are.</param>
/// <param name="Copies">The same parameter in other files: they must hold the same values.</param>
internal sealed record PlannedWeight(string Name, StoredTensor Stored, IReadOnlyList<StoredTensor> Copies)
{
    /// <summary>How often a build takes it.</summary>
    public int Takes { get; set; }
}
