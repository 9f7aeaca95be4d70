namespace Seq2Seq.Inference.Tests;

/// <summary>Tests that count the process's live tensors run alone: <c>[Collection(TensorCount.Collection)]</c>.</summary>
[CollectionDefinition(Collection, DisableParallelization = true)]
public sealed class TensorCount
{
    public const string Collection = "counts live tensors";
}
