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
    private readonly int _vocabularySize;
    private readonly int _maxTokens;

    private SourceReader(
        Tokenizer? tokenizer,
        TokenizerLoadException? tokenizerError,
        int vocabularySize,
        int maxTokens
    )
    {
        _tokenizer = tokenizer;
        _tokenizerError = tokenizerError;
        _vocabularySize = vocabularySize;
        _maxTokens = maxTokens;
    }

    /// <summary>A folder without a usable tokenizer still takes token ids; its lines of text fail, with the reason.</summary>
    public static SourceReader Open(string folder, NetworkShape shape, int maxSourceTokens)
    {
        int maxTokens = Math.Min(maxSourceTokens, shape.MaxSourceTokens ?? int.MaxValue);
        try
        {
            return new SourceReader(
                Tokenizer.Load(folder),
                tokenizerError: null,
                shape.SourceVocabularySize ?? shape.VocabularySize,
                maxTokens
            );
        }
        catch (TokenizerLoadException exception)
        {
            return new SourceReader(
                tokenizer: null,
                exception,
                shape.SourceVocabularySize ?? shape.VocabularySize,
                maxTokens
            );
        }
    }

    /// <summary>Token ids of a line, or the result that says why it has none.</summary>
    public bool TryRead(
        SequenceInput input,
        out IReadOnlyList<int> tokens,
        [NotNullWhen(false)] out SequenceResult? failure
    )
    {
        tokens = input.TokenIds ?? [];
        if (input.Text is { } text)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                failure = SequenceResult.Failed(LineErrorCodes.Empty, "The line has no text.");
                return false;
            }

            if (_tokenizer is null)
            {
                failure = SequenceResult.Failed(_tokenizerError!.Code, _tokenizerError.Message);
                return false;
            }

            try
            {
                tokens = _tokenizer.Encode(text, EncodeOptions.Default);
            }
            catch (EncodeException exception)
            {
                failure = SequenceResult.Failed(exception.Code, exception.Message);
                return false;
            }
        }

        failure = Check(tokens);
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

    private SequenceResult? Check(IReadOnlyList<int> tokens)
    {
        if (tokens.Count == 0)
        {
            return SequenceResult.Failed(LineErrorCodes.Empty, "The line has no tokens.");
        }

        if (tokens.Count > _maxTokens)
        {
            return SequenceResult.Failed(
                LineErrorCodes.TooLong,
                Text($"The line has {tokens.Count} tokens; expected at most {_maxTokens}.")
            );
        }

        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)_vocabularySize)
            {
                return SequenceResult.Failed(
                    LineErrorCodes.TokenOutOfRange,
                    Text($"The line has token {token}; the model's vocabulary has {_vocabularySize}.")
                );
            }
        }

        return null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
