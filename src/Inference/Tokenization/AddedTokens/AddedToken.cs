namespace Seq2Seq.Inference.Tokenization.AddedTokens;

/// <summary>A token that is searched for in the text before the model cuts it (Hugging Face's <c>AddedToken</c>).</summary>
internal sealed record AddedToken(string Content)
{
    /// <summary>Left out when decoding with <c>skip_special_tokens</c>.</summary>
    public bool Special { get; init; }

    /// <summary>Searched for in the normalised text, not in the text as it came.</summary>
    public bool Normalized { get; init; }

    /// <summary>Not found inside a word.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Swallows the white space before it.</summary>
    public bool StripLeft { get; init; }

    /// <summary>Swallows the white space behind it.</summary>
    public bool StripRight { get; init; }
}
