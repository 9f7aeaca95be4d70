using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.LongLines;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference;

/// <summary>Makes token ids of source lines and text of outputs, and finds what is wrong with a line before it is decoded.</summary>
internal sealed class SourceReader
{
    private readonly Tokenizer? _tokenizer;
    private readonly TokenizerLoadException? _tokenizerError;
    private readonly Side _source;
    private readonly Side _target;
    private readonly Side _prefix;
    private readonly bool _startsTargetsFromTheirEnd;
    private readonly IReadOnlyDictionary<string, int>? _languagePrompts;

    /// <param name="folderTokenizer">The tokenizer, or why there is none.</param>
    /// <param name="network">The network that the tokens are for.</param>
    /// <param name="maxSourceTokens">Most tokens of a line.</param>
    public SourceReader(FolderTokenizer folderTokenizer, INetwork network, int maxSourceTokens)
    {
        (Tokenizer? tokenizer, TokenizerLoadException? tokenizerError) = folderTokenizer;
        NetworkShape shape = network.Shape;
        _languagePrompts = network.GenerationDefaults.LanguagePrompts;
        _tokenizer = tokenizer;
        _tokenizerError = tokenizerError;
        _startsTargetsFromTheirEnd = shape.StartsTargetsFromTheirEnd;
        Languages = tokenizer?.Languages ?? ModelLanguages.None;
        if (_languagePrompts is { } prompts)
        {
            Languages = Languages with { Target = [.. prompts.Keys] };
        }

        _source = new Side(
            "line",
            shape.SourceVocabularySize ?? shape.VocabularySize,
            Math.Min(maxSourceTokens, shape.MaxSourceTokens ?? int.MaxValue)
        );
        _target = new Side(
            "target",
            shape.VocabularySize,
            Math.Min(maxSourceTokens, shape.MaxTargetTokens ?? int.MaxValue)
        );
        _prefix = _target with { Name = "target prefix" };
        Parameters = new ParameterTexts(tokenizer, tokenizerError?.Message, shape.VocabularySize);
    }

    /// <summary>What reads parameters that are texts.</summary>
    public ParameterTexts Parameters { get; }

    /// <summary>What <c>src_lang</c> and <c>tgt_lang</c> can be.</summary>
    public ModelLanguages Languages { get; }

    /// <exception cref="GenerationParametersException">The model does not know a language, or has no room; names the parameter.</exception>
    public TextSettings Resolve(GenerationParameters parameters)
    {
        GenerationParametersCheck.Validate(parameters);
        Languages.Check(parameters);
        LongLinePolicy longLines = parameters.LongLines ?? LongLinePolicy.Error;
        if (parameters.MaxSourceLength > _source.MaxTokens)
        {
            throw new GenerationParametersException(
                "max_source_length",
                Text(
                    $"'max_source_length' is {parameters.MaxSourceLength}; the model takes at most {_source.MaxTokens} tokens."
                )
            );
        }

        // Beyond what a model was made for it may still compute, with relative positions: such a line is cut, but no error.
        int most =
            longLines != LongLinePolicy.Error && _tokenizer?.ModelMaxLength is { } usual and > 0
                ? Math.Min(usual, _source.MaxTokens)
                : _source.MaxTokens;
        EncodeOptions source = EncodeOptions.Default with
        {
            SourceLanguage = Spell(parameters.SourceLanguage, Languages.Source),
            TargetLanguage = Spell(parameters.TargetLanguage, _tokenizer?.Languages.Target ?? []),
            SplitSpecialTokens = parameters.SplitSpecialTokens ?? false,
        };
        return new TextSettings
        {
            Source = source,
            Target = source with { AsTarget = true },
            StartsTargetsFromTheirEnd = _startsTargetsFromTheirEnd && parameters.DecoderStartTokenId is null,
            LanguageToken = LanguageToken(parameters),
            IsLanguagePrompt = _languagePrompts is not null,
            LongLines = longLines,
            MaxSourceTokens = parameters.MaxSourceLength ?? most,
        };
    }

    private int? LanguageToken(GenerationParameters parameters)
    {
        int? token =
            Spell(parameters.TargetLanguage, Languages.Target) is not { } language ? null
            : _languagePrompts is { } prompts ? prompts[language]
            : _tokenizer?.ForcedBosTokenId(language);
        return token is null || parameters.ForcedBosTokenId is not { } other || other == token
            ? token
            : throw new GenerationParametersException(
                "forced_bos_token_id",
                Text(
                    $"'forced_bos_token_id' is {other}, but the token of 'tgt_lang' {parameters.TargetLanguage} is {token}."
                )
            );
    }

    /// <summary>The pieces of a line, which is one unless it was split, or the result that says why it has none.</summary>
    public bool TryReadSource(
        SequenceInput input,
        TextSettings settings,
        out IReadOnlyList<SourcePiece> pieces,
        [NotNullWhen(false)] out SequenceResult? failure
    )
    {
        Side side = _source with { MaxTokens = settings.MaxSourceTokens };
        EncodeOptions options = OptionsOf(input.Text, settings.Source);
        pieces = [];
        if (!TryRead(side, input.Text, input.TokenIds, options, out IReadOnlyList<int> tokens, out failure))
        {
            if (
                failure.Error!.Code != LineErrorCodes.TooLong
                || input.Text is not { } text
                || Shorten(text, tokens.Count, input, settings, options) is not { } shortened
            )
            {
                return false;
            }

            pieces = shortened;
            failure = shortened.Select(piece => Check(side, piece.Tokens)).FirstOrDefault(wrong => wrong is not null);
            return failure is null;
        }

        pieces = [new SourcePiece(tokens)];
        return true;
    }

    /// <summary>Token ids of a line's target (null: it has none), or the result that says what is wrong with it.</summary>
    public bool TryReadTarget(
        SequenceInput input,
        TextSettings settings,
        out IReadOnlyList<int>? tokens,
        [NotNullWhen(false)] out SequenceResult? failure
    )
    {
        tokens = null;
        failure = null;
        if (input.TargetText is null && input.TargetTokenIds is null)
        {
            return true;
        }

        return TryRead(_target, input.TargetText, input.TargetTokenIds, settings.Target, out tokens, out failure);
    }

    /// <summary>
    /// The settings of a line: those of the call, or with the prefix that the line brings; or the result that says what is wrong
    /// with it.
    /// </summary>
    public bool TryReadPrefix(
        SequenceInput input,
        TextSettings texts,
        ref GenerationSettings settings,
        [NotNullWhen(false)] out SequenceResult? failure
    )
    {
        failure = null;
        if (input.PrefixText is null && input.PrefixTokenIds is null)
        {
            return true;
        }

        if (input.TargetText is not null || input.TargetTokenIds is not null)
        {
            failure = SequenceResult.Failed(
                LineErrorCodes.Malformed,
                "The line has both a target, which is scored, and a target prefix, which begins what is generated."
            );
            return false;
        }

        if (texts.LongLines == LongLinePolicy.Split)
        {
            failure = SequenceResult.Failed(
                LineErrorCodes.PrefixImpossible,
                "The line has a target prefix; a line that 'long_lines' may split takes none."
            );
            return false;
        }

        EncodeOptions options = texts.Target with { AddSpecialTokens = false };
        if (
            !TryRead(
                _prefix,
                input.PrefixText,
                input.PrefixTokenIds,
                options,
                out IReadOnlyList<int> tokens,
                out failure
            )
        )
        {
            return false;
        }

        try
        {
            settings = input.PrefixText is null
                ? settings.WithPrefix(tokens, "decoder_input_ids")
                : settings.WithPrefix(ParameterTexts.Prefix(tokens, settings.FirstTokenId), "target_prefix");
            return true;
        }
        catch (GenerationParametersException exception)
        {
            failure = SequenceResult.Failed(LineErrorCodes.PrefixImpossible, exception.Message);
            return false;
        }
    }

    /// <summary>A text that is too long, cut or split as the caller wants it; null when it is an error.</summary>
    private IReadOnlyList<SourcePiece>? Shorten(
        string text,
        int sourceTokens,
        SequenceInput input,
        TextSettings settings,
        EncodeOptions options
    )
    {
        switch (settings.LongLines)
        {
            case LongLinePolicy.Truncate:
                IReadOnlyList<int> kept = _tokenizer!.Encode(
                    text,
                    options with
                    {
                        Truncation = "longest_first",
                        MaxLength = settings.MaxSourceTokens,
                    }
                );
                return [new SourcePiece(kept) { Truncation = new SourceTruncation(sourceTokens, kept.Count) }];
            // A target answers the whole source.
            case LongLinePolicy.Split when input is { TargetText: null, TargetTokenIds: null }:
                int code = _tokenizer!.LanguageCodeOf(text).Length;
                return LineSplitter.Split(
                    text[code..],
                    piece =>
                        _tokenizer.Encode(text[..code] + piece, options) is { } tokens
                        && tokens.Count <= settings.MaxSourceTokens
                            ? tokens
                            : null
                );
            default:
                return null;
        }
    }

    /// <summary>A line that begins with a language code of its own keeps it.</summary>
    private EncodeOptions OptionsOf(string? text, EncodeOptions options) =>
        options.TargetLanguage is not null && text is not null && _tokenizer?.LanguageCodeOf(text).IsEmpty == false
            ? options with
            {
                TargetLanguage = null,
            }
            : options;

    private static string? Spell(string? code, IReadOnlyList<string> known) =>
        code is null ? null : ModelLanguages.Spell(code, known);

    private bool TryRead(
        Side side,
        string? given,
        IReadOnlyList<int>? tokenIds,
        EncodeOptions options,
        out IReadOnlyList<int> tokens,
        [NotNullWhen(false)] out SequenceResult? failure
    )
    {
        tokens = tokenIds ?? [];
        if (given is { } text)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                failure = SequenceResult.Failed(LineErrorCodes.Empty, $"The {side.Name} has no text.");
                return false;
            }

            if (_tokenizer is null)
            {
                failure = SequenceResult.Failed(_tokenizerError!.Code, _tokenizerError.Message);
                return false;
            }

            try
            {
                tokens = _tokenizer.Encode(text, options);
            }
            catch (EncodeException exception)
            {
                failure = SequenceResult.Failed(exception.Code, exception.Message);
                return false;
            }
        }

        failure = Check(side, tokens);
        return failure is null;
    }

    public IReadOnlyList<SequenceOutput> WithText(IReadOnlyList<SequenceOutput> outputs) =>
        _tokenizer is null
            ? outputs
            :
            [
                .. outputs.Select(output =>
                    output with
                    {
                        Text = _tokenizer.Decode(output.TokenIds, DecodeOptions.Default),
                    }
                ),
            ];

    private static SequenceResult? Check(Side side, IReadOnlyList<int> tokens)
    {
        if (tokens.Count == 0)
        {
            return SequenceResult.Failed(LineErrorCodes.Empty, $"The {side.Name} has no tokens.");
        }

        if (tokens.Count > side.MaxTokens)
        {
            return SequenceResult.Failed(
                LineErrorCodes.TooLong,
                Text($"The {side.Name} has {tokens.Count} tokens; expected at most {side.MaxTokens}.")
            );
        }

        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)side.VocabularySize)
            {
                return SequenceResult.Failed(
                    LineErrorCodes.TokenOutOfRange,
                    Text($"The {side.Name} has token {token}; the model's vocabulary has {side.VocabularySize}.")
                );
            }
        }

        return null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>What source and target each are bound to.</summary>
    private sealed record Side(string Name, int VocabularySize, int MaxTokens);
}
