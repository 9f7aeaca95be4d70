namespace Seq2Seq.Inference.Tokenization;

/// <summary>A folder's tokenizer can't be built: someone must mend its files.</summary>
public sealed class TokenizerLoadException(string code, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    internal const string Missing = "tokenizer_missing";
    internal const string Invalid = "tokenizer_invalid";

    /// <summary><c>tokenizer_missing</c> or <c>tokenizer_invalid</c>.</summary>
    public string Code { get; } = code;
}
