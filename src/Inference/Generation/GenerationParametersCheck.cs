using System.Globalization;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Holds parameters against their ranges and against each other, as far as that needs no model; a model adds its own
/// limits in <see cref="GenerationSettings"/>.
/// </summary>
public static class GenerationParametersCheck
{
    /// <summary>Beams of one line: more would be a slip of the pen, and fills a device's memory.</summary>
    private const int MaxBeams = 256;

    /// <summary>Tokens of one output.</summary>
    private const int LongestOutput = 1 << 20;

    private const int LongestList = 100_000;

    private const int LongestLanguage = 64;

    /// <exception cref="GenerationParametersException">A value is out of range, or two contradict each other; names it.</exception>
    public static void Validate(GenerationParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        InRange("num_beams", parameters.NumBeams, 1, MaxBeams);
        InRange("num_return_sequences", parameters.NumReturnSequences, 1, MaxBeams);
        InRange("max_new_tokens", parameters.MaxNewTokens, 1, LongestOutput);
        InRange("max_length", parameters.MaxLength, 2, LongestOutput);
        InRange("min_new_tokens", parameters.MinNewTokens, 0, LongestOutput);
        InRange("min_length", parameters.MinLength, 0, LongestOutput);
        InRange("no_repeat_ngram_size", parameters.NoRepeatNgramSize, 0, LongestOutput);
        InRange("encoder_no_repeat_ngram_size", parameters.EncoderNoRepeatNgramSize, 0, LongestOutput);
        Finite("length_penalty", parameters.LengthPenalty);
        Positive("repetition_penalty", parameters.RepetitionPenalty);
        Positive("encoder_repetition_penalty", parameters.EncoderRepetitionPenalty);
        if (parameters.EarlyStopping is { } early && !Enum.IsDefined(early))
        {
            throw new GenerationParametersException(
                "early_stopping",
                $"'early_stopping' is {(int)early}; expected false, true or \"never\"."
            );
        }

        Positive("temperature", parameters.Temperature);
        InRange("top_k", parameters.TopK, 0, int.MaxValue);
        Share("top_p", parameters.TopP);
        Share("min_p", parameters.MinP);
        Share("typical_p", parameters.TypicalP, isZeroAllowed: false);
        Share("epsilon_cutoff", parameters.EpsilonCutoff);
        Share("eta_cutoff", parameters.EtaCutoff);
        if (parameters.ExponentialDecayLengthPenalty is { } decay)
        {
            InRange("exponential_decay_length_penalty", decay.Start, 0, LongestOutput);
            Positive("exponential_decay_length_penalty", decay.Factor);
        }

        Texts(parameters);
        TokenLists(parameters);
        Combinations(parameters);
    }

    private static void Texts(GenerationParameters parameters)
    {
        Language("src_lang", parameters.SourceLanguage);
        Language("tgt_lang", parameters.TargetLanguage);
        InRange("max_source_length", parameters.MaxSourceLength, 1, int.MaxValue);
        if (parameters.LongLines is { } longLines && !Enum.IsDefined(longLines))
        {
            throw new GenerationParametersException(
                "long_lines",
                $"'long_lines' is {(int)longLines}; expected \"error\", \"truncate\" or \"split\"."
            );
        }
    }

    /// <summary>Which languages there are, a model knows; see <see cref="Tokenization.ModelLanguages"/>.</summary>
    private static void Language(string name, string? code)
    {
        if (code is not null && (code.Length is 0 or > LongestLanguage || !code.All(IsOfCode)))
        {
            throw new GenerationParametersException(
                name,
                Text($"'{name}' is not a language code; expected 1 to {LongestLanguage} letters, digits, - and _.")
            );
        }
    }

    private static bool IsOfCode(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_';

    private static void TokenLists(GenerationParameters parameters)
    {
        Token("forced_bos_token_id", parameters.ForcedBosTokenId);
        Token("decoder_start_token_id", parameters.DecoderStartTokenId);
        Token("bos_token_id", parameters.BosTokenId);
        Token("pad_token_id", parameters.PadTokenId);
        Tokens("forced_eos_token_id", parameters.ForcedEosTokenId);
        Tokens("eos_token_id", parameters.EosTokenId);
        Tokens("suppress_tokens", parameters.SuppressTokens);
        Tokens("begin_suppress_tokens", parameters.BeginSuppressTokens);
        if (parameters.BadWordsIds is { } badWords)
        {
            NotEmpty("bad_words_ids", badWords.Count);
            foreach (IReadOnlyList<int> word in badWords)
            {
                NotEmpty("bad_words_ids", word?.Count ?? 0);
                Tokens("bad_words_ids", word);
            }
        }

        if (parameters.SequenceBias is { } biases)
        {
            NotEmpty("sequence_bias", biases.Count);
            foreach (SequenceBias bias in biases)
            {
                NotEmpty("sequence_bias", bias?.TokenIds.Count ?? 0);
                Tokens("sequence_bias", bias!.TokenIds);
                Finite("sequence_bias", bias.Bias);
            }
        }
    }

    /// <summary>What GenerationConfig.validate refuses too.</summary>
    private static void Combinations(GenerationParameters parameters)
    {
        if (parameters is { NumReturnSequences: { } wanted and > 1, NumBeams: { } beams } && wanted > beams)
        {
            if (beams > 1 || parameters.DoSample == false)
            {
                throw new GenerationParametersException(
                    "num_return_sequences",
                    Text($"'num_return_sequences' is {wanted}; expected at most 'num_beams', which is {beams}.")
                );
            }
        }

        if (parameters is { LongLines: LongLinePolicy.Split, NumReturnSequences: > 1 and var several })
        {
            throw new GenerationParametersException(
                "num_return_sequences",
                Text($"'num_return_sequences' is {several}; a line that 'long_lines' may split has one output.")
            );
        }

        if (parameters.SuppressTokens is { Count: > 0 } suppressed)
        {
            Forced("forced_bos_token_id", parameters.ForcedBosTokenId is { } bos ? [bos] : null, suppressed);
            Forced("forced_eos_token_id", parameters.ForcedEosTokenId, suppressed);
        }
    }

    private static void Forced(string name, TokenIds? forced, IReadOnlyList<int> suppressed)
    {
        if (forced is { Count: > 0 } && forced.All(suppressed.Contains))
        {
            throw new GenerationParametersException(
                name,
                $"Every token of '{name}' is in 'suppress_tokens' too: no token would be left."
            );
        }
    }

    private static void InRange(string name, int? value, int least, int most)
    {
        if (value < least || value > most)
        {
            throw new GenerationParametersException(
                name,
                Text($"'{name}' is {value}; expected a whole number from {least} to {most}.")
            );
        }
    }

    private static void Positive(string name, double? value)
    {
        if (value is { } number && !(number > 0 && double.IsFinite(number)))
        {
            throw new GenerationParametersException(
                name,
                Text($"'{name}' is {number}; expected a number greater than 0.")
            );
        }
    }

    private static void Share(string name, double? value, bool isZeroAllowed = true)
    {
        if (value is { } number && !(number <= 1 && (isZeroAllowed ? number >= 0 : number > 0)))
        {
            throw new GenerationParametersException(
                name,
                Text($"'{name}' is {number}; expected a number {(isZeroAllowed ? "from" : "above")} 0 to 1.")
            );
        }
    }

    private static void Finite(string name, double? value)
    {
        if (value is { } number && !double.IsFinite(number))
        {
            throw new GenerationParametersException(name, Text($"'{name}' is {number}; expected a finite number."));
        }
    }

    private static void Token(string name, int? value) => InRange(name, value, 0, int.MaxValue);

    private static void Tokens(string name, IReadOnlyList<int>? values)
    {
        if (values?.Count > LongestList)
        {
            throw new GenerationParametersException(
                name,
                Text($"'{name}' has {values.Count} tokens; expected at most {LongestList}.")
            );
        }

        foreach (int value in values ?? [])
        {
            Token(name, value);
        }
    }

    private static void NotEmpty(string name, int count)
    {
        if (count == 0)
        {
            throw new GenerationParametersException(name, $"'{name}' has an empty list; expected token ids.");
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
