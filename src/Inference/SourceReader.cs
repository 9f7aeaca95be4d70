using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation;
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

    private SourceReader(
        Tokenizer? tokenizer,
        TokenizerLoadException? tokenizerError,
        NetworkShape shape,
        int maxSourceTokens
    )
    {
        _tokenizer = tokenizer;
        _tokenizerError = tokenizerError;
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

    /// <summary>A folder without a usable tokenizer still takes token ids; its lines of text fail, with the reason.</summary>
    public static SourceReader Open(string folder, NetworkShape shape, int maxSourceTokens)
    {
        try
        {
            return new SourceReader(Tokenizer.Load(folder), tokenizerError: null, shape, maxSourceTokens);
        }
        catch (TokenizerLoadException exception)
        {
            return new SourceReader(tokenizer: null, exception, shape, maxSourceTokens);
        }
    }

    /// <summary>Token ids of a line, or the result that says why it has none.</summary>
    public bool TryReadSource(
        SequenceInput input,
        out IReadOnlyList<int> tokens,
        [NotNullWhen(false)] out SequenceResult? failure
    ) => TryRead(_source, input.Text, input.TokenIds, EncodeOptions.Default, out tokens, out failure);

    /// <summary>Token ids of a line's target (null: it has none), or the result that says what is wrong with it.</summary>
    public bool TryReadTarget(
        SequenceInput input,
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

        EncodeOptions options = EncodeOptions.Default with { AsTarget = true };
        return TryRead(_target, input.TargetText, input.TargetTokenIds, options, out tokens, out failure);
    }

    /// <summary>
    /// The settings of a line: those of the call, or with the prefix that the line brings; or the result that says what is wrong
    /// with it.
    /// </summary>
    public bool TryReadPrefix(
        SequenceInput input,
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

        EncodeOptions options = new() { AddSpecialTokens = false, AsTarget = true };
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
                : settings.WithPrefix(ParameterTexts.Prefix(tokens, settings.ForcedBosTokenId), "target_prefix");
            return true;
        }
        catch (GenerationParametersException exception)
        {
            failure = SequenceResult.Failed(LineErrorCodes.PrefixImpossible, exception.Message);
            return false;
        }
    }

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
