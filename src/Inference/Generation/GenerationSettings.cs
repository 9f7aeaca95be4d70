using System.Globalization;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Generation options of one line with every default filled in: the caller's, else the model's, else those of
/// transformers' GenerationConfig; checked against the model's limits.
/// </summary>
// Lengths follow GenerationMixin._prepare_generated_length: max_new_tokens, wherever it comes from, wins over max_length;
// where neither is set 20 tokens are generated, within the model's positions.
internal sealed record GenerationSettings
{
    private const int DefaultNewTokens = 20;

    private const int DefaultTopK = 50;

    public required int VocabularySize { get; init; }
    public required int NumBeams { get; init; }
    public required int NumReturnSequences { get; init; }

    /// <summary>Longest sequence, the decoder start token included.</summary>
    public required int MaxLength { get; init; }

    /// <summary>Length before which no end token may come, the decoder start token included.</summary>
    public required int MinLength { get; init; }

    public required double LengthPenalty { get; init; }
    public required EarlyStopping EarlyStopping { get; init; }
    public required double RepetitionPenalty { get; init; }
    public required double EncoderRepetitionPenalty { get; init; }
    public required int NoRepeatNgramSize { get; init; }
    public required int EncoderNoRepeatNgramSize { get; init; }
    public required IReadOnlyList<IReadOnlyList<int>>? BadWordsIds { get; init; }
    public required IReadOnlyList<SequenceBias>? SequenceBias { get; init; }
    public required IReadOnlyList<int>? SuppressTokens { get; init; }
    public required IReadOnlyList<int>? BeginSuppressTokens { get; init; }
    public required int? ForcedBosTokenId { get; init; }
    public required TokenIds? ForcedEosTokenId { get; init; }
    public required ExponentialDecay? ExponentialDecayLengthPenalty { get; init; }
    public required bool RemoveInvalidValues { get; init; }
    public required bool RenormalizeLogits { get; init; }
    public required int DecoderStartTokenId { get; init; }
    public required TokenIds EosTokenIds { get; init; }

    /// <summary>
    /// Tokens behind the decoder start token that are given to the decoder, not generated: they are forced, but count for no
    /// length of what is new and for no score.
    /// </summary>
    public required int PromptTokens { get; init; }

    /// <summary>Null: the likeliest tokens are taken.</summary>
    public required SamplingSettings? Sampling { get; init; }

    /// <summary>Whether outputs bring the log-probabilities of their tokens.</summary>
    public required bool TokenLogprobs { get; init; }

    /// <summary>Whether greedy search says how likely its outputs are; without, their score is NaN.</summary>
    public required bool ReturnScores { get; init; }

    /// <summary>Whether greedy search may guess tokens and verify several in a step.</summary>
    public required bool Drafting { get; init; }

    /// <summary>How many of the source's first tokens have global attention.</summary>
    public required int GlobalTokens { get; init; }

    /// <summary>Rows that a line takes in a step at most.</summary>
    public int MaxRows => NumBeams > 1 ? NumBeams : NumReturnSequences;

    /// <summary>What a sum of log-probabilities is divided by to be the score of an output of so many tokens.</summary>
    public double LengthDivisor(int tokens) => Math.Pow(tokens - PromptTokens, LengthPenalty);

    /// <param name="caller">What the caller set.</param>
    /// <param name="defaults">What the model's folder says.</param>
    /// <param name="vocabularySize">Number of logits.</param>
    /// <param name="maxPositions">Longest sequence that the decoder has positions for, or null.</param>
    /// <param name="promptTokens">See <see cref="PromptTokens"/>.</param>
    /// <exception cref="GenerationParametersException">A value is out of range or not supported; names it.</exception>
    public static GenerationSettings Resolve(
        GenerationParameters caller,
        GenerationDefaults defaults,
        int vocabularySize,
        int? maxPositions,
        int promptTokens = 0
    )
    {
        GenerationParametersCheck.Validate(caller);
        if (defaults.Unsupported.Count > 0)
        {
            throw UnsupportedParameters.Refuse(defaults.Unsupported[0]);
        }

        GenerationParameters set = GenerationParametersJson.Overlay(caller, defaults.Parameters);
        GenerationParametersCheck.Validate(set);
        int beams = set.NumBeams ?? 1;
        int returned = set.NumReturnSequences ?? 1;
        if (returned > beams && (beams > 1 || set.DoSample != true))
        {
            throw new GenerationParametersException(
                "num_return_sequences",
                Text($"'num_return_sequences' is {returned}; expected at most 'num_beams', which is {beams}.")
            );
        }

        GenerationSettings settings = new()
        {
            VocabularySize = vocabularySize,
            NumBeams = beams,
            NumReturnSequences = returned,
            MaxLength = ResolveMaxLength(set, maxPositions, promptTokens),
            MinLength = set.MinNewTokens is { } minNew ? minNew + 1 + promptTokens : set.MinLength ?? 0,
            PromptTokens = promptTokens,
            LengthPenalty = set.LengthPenalty ?? 1,
            EarlyStopping = set.EarlyStopping ?? EarlyStopping.Heuristic,
            RepetitionPenalty = set.RepetitionPenalty ?? 1,
            EncoderRepetitionPenalty = set.EncoderRepetitionPenalty ?? 1,
            NoRepeatNgramSize = set.NoRepeatNgramSize ?? 0,
            EncoderNoRepeatNgramSize = set.EncoderNoRepeatNgramSize ?? 0,
            BadWordsIds = set.BadWordsIds,
            SequenceBias = set.SequenceBias,
            SuppressTokens = set.SuppressTokens,
            BeginSuppressTokens = set.BeginSuppressTokens,
            ForcedBosTokenId = set.ForcedBosTokenId,
            ForcedEosTokenId = set.ForcedEosTokenId,
            ExponentialDecayLengthPenalty = set.ExponentialDecayLengthPenalty,
            RemoveInvalidValues = set.RemoveInvalidValues ?? false,
            RenormalizeLogits = set.RenormalizeLogits ?? false,
            DecoderStartTokenId =
                set.DecoderStartTokenId
                ?? throw new GenerationParametersException(
                    "decoder_start_token_id",
                    "'decoder_start_token_id' is set neither by the caller nor by the model."
                ),
            EosTokenIds = set.EosTokenId ?? [],
            Sampling = set.DoSample == true ? ResolveSampling(set, beams) : null,
            TokenLogprobs = set.TokenLogprobs ?? false,
            ReturnScores = (set.ReturnScores ?? true) || set.TokenLogprobs == true,
            Drafting = set.Drafting ?? false,
            GlobalTokens = set.GlobalAttention == GlobalAttention.FirstToken ? 1 : 0,
        };
        if (settings.Sampling is null)
        {
            RefuseSamplingOptions(caller);
        }

        settings.CheckVocabulary();
        return settings;
    }

    private static SamplingSettings ResolveSampling(GenerationParameters set, int beams) =>
        new()
        {
            Temperature = set.Temperature ?? 1,
            TopK = set.TopK ?? DefaultTopK,
            TopP = set.TopP ?? 1,
            MinP = set.MinP,
            TypicalP = set.TypicalP ?? 1,
            EpsilonCutoff = set.EpsilonCutoff ?? 0,
            EtaCutoff = set.EtaCutoff ?? 0,
            MinTokensToKeep = beams == 1 ? 1 : Math.Max(2, 1 + (set.EosTokenId?.Count ?? 0)),
            Seed = set.Seed ?? Random.Shared.NextInt64(),
        };

    /// <summary>transformers warns of them; but whoever sets one expects that it does something.</summary>
    private static void RefuseSamplingOptions(GenerationParameters caller)
    {
        string? idle = caller switch
        {
            { Temperature: not (null or 1) } => "temperature",
            { TopK: not (null or DefaultTopK) } => "top_k",
            { TopP: not (null or 1) } => "top_p",
            { MinP: not null } => "min_p",
            { TypicalP: not (null or 1) } => "typical_p",
            { EpsilonCutoff: not (null or 0) } => "epsilon_cutoff",
            { EtaCutoff: not (null or 0) } => "eta_cutoff",
            _ => null,
        };
        if (idle is not null)
        {
            throw new GenerationParametersException(
                idle,
                $"'{idle}' is an option of sampling, but 'do_sample' is not true."
            );
        }
    }

    private static int ResolveMaxLength(GenerationParameters set, int? maxPositions, int promptTokens)
    {
        int length = set switch
        {
            { MaxNewTokens: { } maxNew } => maxNew + 1 + promptTokens,
            { MaxLength: { } maxLength } => maxLength,
            _ => Math.Min(DefaultNewTokens + 1 + promptTokens, maxPositions ?? int.MaxValue),
        };

        // The last token is never fed back, so that it needs no position.
        if (maxPositions is { } positions && length - 1 > positions)
        {
            throw new GenerationParametersException(
                set.MaxNewTokens is null ? "max_length" : "max_new_tokens",
                Text($"The output may become {length - 1} tokens long; the model's decoder has {positions} positions.")
            );
        }

        return length;
    }

    private void CheckVocabulary()
    {
        Check("decoder_start_token_id", [DecoderStartTokenId]);
        Check("eos_token_id", EosTokenIds);
        Check("forced_bos_token_id", ForcedBosTokenId is { } bos ? [bos] : []);
        Check("forced_eos_token_id", ForcedEosTokenId);
        Check("suppress_tokens", SuppressTokens);
        Check("begin_suppress_tokens", BeginSuppressTokens);
        foreach (IReadOnlyList<int> word in BadWordsIds ?? [])
        {
            Check("bad_words_ids", word);
        }

        foreach (SequenceBias bias in SequenceBias ?? [])
        {
            Check("sequence_bias", bias.TokenIds);
        }
    }

    private void Check(string name, IEnumerable<int>? ids)
    {
        foreach (int id in ids ?? [])
        {
            if (id < 0 || id >= VocabularySize)
            {
                throw new GenerationParametersException(
                    name,
                    Text($"'{name}' has token {id}; the model's vocabulary has {VocabularySize}.")
                );
            }
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
