namespace Seq2Seq.Inference.Tokenization;

/// <summary>The keyword arguments of Hugging Face's tokenizer call that seq2seq users set.</summary>
public sealed record EncodeOptions
{
    public static EncodeOptions Default { get; } = new();

    public string? TextPair { get; init; }
    public bool AddSpecialTokens { get; init; } = true;

    /// <summary>
    /// <c>longest_first</c>, <c>only_first</c>, <c>only_second</c>; null or <c>do_not_truncate</c> cuts nothing.
    /// Without <see cref="MaxLength"/> the model's own maximum holds.
    /// </summary>
    public string? Truncation { get; init; }
    public int? MaxLength { get; init; }
    public string? SourceLanguage { get; init; }
    public string? TargetLanguage { get; init; }

    /// <summary>Encodes as a target (<c>text_target</c>).</summary>
    public bool AsTarget { get; init; }

    /// <summary>
    /// Takes special tokens that stand in the text (<c>&lt;/s&gt;</c>) as plain characters. Other than transformers' option of
    /// this name it holds for vocabularies of T5's kind too, where a search among all pieces would find them.
    /// </summary>
    public bool SplitSpecialTokens { get; init; }
}
