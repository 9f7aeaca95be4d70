namespace Seq2Seq.Inference.Tokenization;

/// <summary>Text to token ids and back, as the model's own files say. Thread-safe.</summary>
public abstract class Tokenizer
{
    /// <summary>Builds the tokenizer of a model folder from its files.</summary>
    /// <exception cref="TokenizerLoadException">No tokenizer files, or files that can't be used; says which and why.</exception>
    public static Tokenizer Load(string folder) => throw new NotSupportedException();

    public abstract IReadOnlyList<int> Encode(string text, EncodeOptions options);

    public abstract string Decode(IReadOnlyList<int> tokenIds, DecodeOptions options);
}

/// <summary>The keyword arguments of Hugging Face's tokenizer call that seq2seq users set.</summary>
public sealed record EncodeOptions
{
    public static EncodeOptions Default { get; } = new();

    public string? TextPair { get; init; }
    public bool AddSpecialTokens { get; init; } = true;

    /// <summary><c>longest_first</c>, <c>only_first</c>, <c>only_second</c>; null cuts nothing.</summary>
    public string? Truncation { get; init; }
    public int? MaxLength { get; init; }
    public string? SourceLanguage { get; init; }
    public string? TargetLanguage { get; init; }

    /// <summary>Encodes as a target (<c>text_target</c>).</summary>
    public bool AsTarget { get; init; }
}

/// <summary>The keyword arguments of Hugging Face's <c>decode</c>.</summary>
public sealed record DecodeOptions
{
    public static DecodeOptions Default { get; } = new();

    public bool SkipSpecialTokens { get; init; } = true;
    public bool? CleanUpTokenizationSpaces { get; init; }
    public string? SourceLanguage { get; init; }
    public string? TargetLanguage { get; init; }
    public bool UseSourceTokenizer { get; init; }
}

/// <summary>A folder's tokenizer can't be built: someone must mend its files.</summary>
public sealed class TokenizerLoadException(string code, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary><c>tokenizer_missing</c> or <c>tokenizer_invalid</c>.</summary>
    public string Code { get; } = code;
}
