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

    /// <summary>Decodes ids of source texts where source and target have vocabularies of their own (Marian).</summary>
    public bool UseSourceTokenizer { get; init; }
}
