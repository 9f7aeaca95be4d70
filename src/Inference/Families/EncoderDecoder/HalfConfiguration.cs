namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>What the configuration says of a half, whichever model it is.</summary>
internal abstract record HalfConfiguration
{
    public required int VocabularySize { get; init; }

    /// <summary>Width of its hidden states.</summary>
    public required int ModelWidth { get; init; }

    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int FeedForwardWidth { get; init; }

    /// <summary>Rows of the position table.</summary>
    public required int Positions { get; init; }

    /// <summary>Whether a decoder's token embeddings serve for the vocabulary projection.</summary>
    public required bool IsTied { get; init; }

    /// <summary>Longest sequence there are positions for.</summary>
    public abstract int MaxTokens { get; }

    /// <summary>Where its weights stand in a decoder, beside the head: <c>bert</c> in <c>decoder.bert.encoder…</c></summary>
    public abstract string BaseModel { get; }

    /// <summary>Takes the parts of an encoder. Use inside a dispose scope.</summary>
    public abstract IEncoderHalf TakeEncoder(HalfWeights weights);

    /// <summary>Takes the parts of a decoder with attention to a source. Use inside a dispose scope.</summary>
    public abstract IDecoderHalf TakeDecoder(HalfWeights weights);
}
