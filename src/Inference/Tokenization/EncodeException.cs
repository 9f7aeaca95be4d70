namespace Seq2Seq.Inference.Tokenization;

/// <summary>Options that this text or this tokenizer can't satisfy: whoever sent them must change them.</summary>
public sealed class EncodeException(string code, string message) : Exception(message)
{
    internal const string TruncationImpossible = "truncation_impossible";
    internal const string TruncationUnknown = "truncation_unknown";
    internal const string LanguageUnknown = "language_unknown";
    internal const string UnknownTokenMissing = "unknown_token_missing";
    internal const string PatternTooSlow = "pattern_too_slow";

    /// <summary>
    /// <c>truncation_impossible</c>, <c>truncation_unknown</c>, <c>language_unknown</c>, <c>unknown_token_missing</c> (a
    /// vocabulary that has no id for this text) or <c>pattern_too_slow</c>.
    /// </summary>
    public string Code { get; } = code;

    internal static EncodeException NoUnknownToken(string name) =>
        new(
            UnknownTokenMissing,
            $"The text has what the vocabulary does not know, and there is no token for that ({name})."
        );

    internal static EncodeException NoSuchLanguage(string language, IReadOnlyList<string> known) =>
        new(LanguageUnknown, $"The language '{language}' is none of the tokenizer's: {string.Join(", ", known)}.");
}
