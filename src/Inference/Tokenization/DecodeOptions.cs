namespace Seq2Seq.Inference.Tokenization;

/// <summary>The keyword arguments of Hugging Face's <c>decode</c>.</summary>
public sealed record DecodeOptions
{
    public static DecodeOptions Default { get; } = new();

    public bool SkipSpecialTokens { get; init; } = true;

    /// <summary>Removes spaces before punctuation; null does what the tokenizer's configuration says.</summary>
    public bool? CleanUpTokenizationSpaces { get; init; }
    public string? SourceLanguage { get; init; }
    public string? TargetLanguage { get; init; }

    /// <summary>
    /// Marian: whether ids are read by the source's pieces or by the target's; null does what transformers does, which is
    /// the source's unless both have vocabularies of their own.
    /// </summary>
    public bool? UseSourceTokenizer { get; init; }
}
