namespace Seq2Seq.Inference.Families.Bart;

/// <summary>Which of the optional parts a family's network has, and how it computes on them.</summary>
internal sealed record BartVariant
{
    /// <summary>What the names of the encoder's and the decoder's weights begin with; null: with the two themselves.</summary>
    public string? Prefix { get; init; } = "model";

    public string Encoder { get; init; } = "encoder";

    public string Decoder { get; init; } = "decoder";

    /// <summary>Rows of the learned position table before position 0; null when positions are sinusoids, which are computed.</summary>
    public int? LearnedPositionOffset { get; init; }

    /// <summary>Whether positions are sinusoids without a longest one, which the forward pass computes itself.</summary>
    public bool HasEndlessPositions { get; init; }

    /// <summary>Rows of the table with which endless positions begin, where a checkpoint has one.</summary>
    public int StoredPositions { get; init; }

    /// <summary>Whether the sum of embeddings and positions is normalised (<c>layernorm_embedding</c>).</summary>
    public bool HasEmbeddingNorm { get; init; }

    /// <summary>Whether the encoder's and the decoder's token embeddings are two, each with a tensor of its own.</summary>
    public bool HasSeparateEmbeddings { get; init; }

    /// <summary>Name of the norm in which the encoder and the decoder end, as pre-norm networks do; null: there is none.</summary>
    public string? FinalNorm { get; init; }

    /// <summary>Whether the linear layers of attention have biases.</summary>
    public bool HasAttentionBias { get; init; } = true;

    /// <summary>Names of the linear layers of the encoder's attention.</summary>
    public BartAttentionNames EncoderAttention { get; init; } = BartAttentionNames.Default;

    /// <summary>Name of the decoder's attention to the source.</summary>
    public string CrossAttention { get; init; } = "encoder_attn";

    /// <summary>Names of a layer's feed-forward.</summary>
    public BartFeedForwardNames FeedForward { get; init; } = new("fc1", "fc2", "final_layer_norm");

    /// <inheritdoc cref="NetworkShape.HasGlobalAttention"/>
    public bool HasGlobalAttention { get; init; }

    /// <summary>Name of the vocabulary projection.</summary>
    public string Head { get; init; } = "lm_head";

    /// <summary>See <see cref="NetworkShape.StartsTargetsFromTheirEnd"/>.</summary>
    public bool StartsTargetsFromTheirEnd { get; init; }

    /// <summary>Whether a bias may be added to the logits (<c>final_logits_bias</c>).</summary>
    public bool HasLogitsBias { get; init; } = true;

    /// <summary>Creates the forward pass of a <see cref="BartNetwork"/>.</summary>
    public Func<BartNetwork, IForwardPass> CreateForwardPass { get; init; } = network => new BartForwardPass(network);
}

/// <summary>Names of a feed-forward's linear layers and of its norm.</summary>
internal sealed record BartFeedForwardNames(string Input, string Output, string Norm);

/// <summary>Names of an attention's linear layers.</summary>
internal sealed record BartAttentionNames(string Query, string Key, string Value, string Output)
{
    public static BartAttentionNames Default { get; } = new("q_proj", "k_proj", "v_proj", "out_proj");
}
