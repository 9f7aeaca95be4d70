namespace Seq2Seq.Inference.Families.Bart;

/// <summary>Which of the optional parts a family's network has, and how it computes on them.</summary>
internal sealed record BartVariant
{
    /// <summary>Rows of the learned position table before position 0; null when positions are sinusoids, which are computed.</summary>
    public int? LearnedPositionOffset { get; init; }

    /// <summary>Whether the sum of embeddings and positions is normalised (<c>layernorm_embedding</c>).</summary>
    public bool HasEmbeddingNorm { get; init; }

    /// <summary>Whether the encoder and the decoder end in a norm (<c>layer_norm</c>), as pre-norm networks do.</summary>
    public bool HasFinalNorm { get; init; }

    public required Func<BartNetwork, IForwardPass> CreateForwardPass { get; init; }
}
