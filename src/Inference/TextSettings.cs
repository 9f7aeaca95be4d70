using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference;

/// <summary>How a call's texts become tokens: what the caller says of them, held against the model.</summary>
internal sealed record TextSettings
{
    public required EncodeOptions Source { get; init; }

    public required EncodeOptions Target { get; init; }

    /// <summary>Whether a target to score starts from its own last token.</summary>
    public required bool StartsTargetsFromTheirEnd { get; init; }

    /// <summary>The token that the target language asks for at the beginning of an output; null: none.</summary>
    public required int? LanguageToken { get; init; }

    /// <summary>Whether that token is a prompt (see <see cref="GenerationSettings.PromptTokens"/>).</summary>
    public required bool IsLanguagePrompt { get; init; }

    public required LongLinePolicy LongLines { get; init; }

    /// <summary>Tokens of a source at most.</summary>
    public required int MaxSourceTokens { get; init; }
}
