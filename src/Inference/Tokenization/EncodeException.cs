namespace Seq2Seq.Inference.Tokenization;

/// <summary>Options that this text or this tokenizer can't satisfy: whoever sent them must change them.</summary>
public sealed class EncodeException(string code, string message) : Exception(message)
{
    internal const string TruncationImpossible = "truncation_impossible";
    internal const string TruncationUnknown = "truncation_unknown";
    internal const string LanguageUnknown = "language_unknown";

    /// <summary><c>truncation_impossible</c>, <c>truncation_unknown</c> or <c>language_unknown</c>.</summary>
    public string Code { get; } = code;
}
