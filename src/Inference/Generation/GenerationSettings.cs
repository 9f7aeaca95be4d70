using System.Globalization;
using Seq2Seq.Inference.Generation.Constraints;
using Seq2Seq.Inference.Generation.Stopping;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Generation options of one line with every default filled in: the caller's, else the model's, else those of
/// transformers' GenerationConfig; checked against the model's limits.
/// </summary>
internal sealed record GenerationSettings
{
    private const int DefaultTopK = 50;

    /// <summary>Seconds, a year: as good as for ever, and no more than a time span holds.</summary>
    private const double LongestTime = 365 * 24 * 60 * 60;

    public required int VocabularySize { get; init; }
    public required int NumBeams { get; init; }
    public required int NumReturnSequences { get; init; }

    /// <summary>Groups that the beams are divided into.</summary>
    public required int NumBeamGroups { get; init; }

    public required double DiversityPenalty { get; init; }

    /// <summary>What the lengths below follow from, with the prompt.</summary>
    public required LengthLimits Lengths { get; init; }

    /// <summary>Longest sequence, the prompt included.</summary>
    public required int MaxLength { get; init; }

    /// <summary>Length before which no end token may come, the prompt included.</summary>
    public required int MinLength { get; init; }

    /// <summary>Null: a line may take any time.</summary>
    public required TimeSpan? MaxTime { get; init; }

    /// <summary>What time is measured by.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public required StopStringMatcher? StopStrings { get; init; }

    /// <summary>Null: any output may come.</summary>
    public required OutputTrie? AllowedOutputs { get; init; }

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

    /// <summary>What every sequence begins with: the decoder start token, and the prefix that the caller gave.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }
    public required TokenIds EosTokenIds { get; init; }

    /// <summary>What the reference fills finished sequences with: of an effect only on groups of beams.</summary>
    public required int? PadTokenId { get; init; }

    /// <summary>
    /// The token of the target language where the decoder is given it behind its start token, instead of generating it: a text
    /// that outputs begin with stands behind it.
    /// </summary>
    public required int? LanguagePrompt { get; init; }

    /// <summary>The token that every output begins with, if there is one.</summary>
    public int? FirstTokenId => LanguagePrompt ?? ForcedBosTokenId;

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

    /// <summary>Sequences of a line side by side at most.</summary>
    public int MaxSequences => NumBeams > 1 ? NumBeams : NumReturnSequences;

    /// <summary>Rows that a line takes in a step at most, guessed tokens aside.</summary>
    public int MaxRows => Math.Max(MaxSequences, PromptedSearch.RowsOf(Prompt));

    /// <summary>
    /// What a sum of log-probabilities is divided by to be the score of an output of so many tokens, those of the prompt behind the
    /// start token included.
    /// </summary>
    public double LengthDivisor(int tokens) => Math.Pow(tokens - (Prompt.Count - 1), LengthPenalty);

    /// <param name="caller">What the caller set.</param>
    /// <param name="defaults">What the model's folder says.</param>
    /// <param name="vocabularySize">Number of logits.</param>
    /// <param name="maxPositions">Longest sequence that the decoder has positions for, or null.</param>
    /// <param name="texts">What reads parameters that are texts.</param>
    /// <param name="languagePrompt">See <see cref="LanguagePrompt"/>.</param>
    /// <exception cref="GenerationParametersException">A value is out of range or not supported; names it.</exception>
    public static GenerationSettings Resolve(
        GenerationParameters caller,
        GenerationDefaults defaults,
        int vocabularySize,
        int? maxPositions,
        ParameterTexts texts,
        int? languagePrompt = null
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

        GenerationParametersCheck.BeamGroups(
            beams,
            set.NumBeamGroups ?? 1,
            set.DiversityPenalty ?? 0,
            set.DoSample ?? false
        );
        LengthLimits lengths = new(set.MaxNewTokens, set.MaxLength, set.MinNewTokens, set.MinLength, maxPositions);
        int start =
            set.DecoderStartTokenId
            ?? throw new GenerationParametersException(
                "decoder_start_token_id",
                "'decoder_start_token_id' is set neither by the caller nor by the model."
            );
        GenerationSettings settings = new()
        {
            VocabularySize = vocabularySize,
            NumBeams = beams,
            NumReturnSequences = returned,
            NumBeamGroups = set.NumBeamGroups ?? 1,
            DiversityPenalty = set.DiversityPenalty ?? 0,
            Lengths = lengths,
            MaxLength = lengths.MostAfter(promptLength: 1),
            MinLength = lengths.LeastAfter(promptLength: 1),
            MaxTime = set.MaxTime is { } seconds ? TimeSpan.FromSeconds(Math.Min(seconds, LongestTime)) : null,
            StopStrings = set.StopStrings is { } stops ? texts.ReadStopStrings(stops) : null,
            AllowedOutputs = null,
            LanguagePrompt = languagePrompt,
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
            DecoderStartTokenId = start,
            Prompt = [start],
            EosTokenIds = set.EosTokenId ?? [],
            PadTokenId = set.PadTokenId ?? (set.EosTokenId is [var end, ..] ? end : null),
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
        return settings.WithAllowedOutputs(set.AllowedOutputs, texts).WithPrefix(set, texts);
    }

    /// <summary>The same for sequences that begin with a prefix.</summary>
    /// <param name="prefix">Tokens; the decoder start token may stand in front.</param>
    /// <param name="name">What the caller calls it, for errors.</param>
    /// <exception cref="GenerationParametersException">The prefix leaves nothing to generate, or nothing that may come.</exception>
    public GenerationSettings WithPrefix(IReadOnlyList<int> prefix, string name)
    {
        // Like GenerationMixin._prepare_decoder_input_ids_for_generation.
        int[] prompt = prefix[0] == DecoderStartTokenId ? [.. prefix] : [DecoderStartTokenId, .. prefix];
        int longest = Lengths.MostAfter(prompt.Length);
        if (longest <= prompt.Length)
        {
            throw new GenerationParametersException(
                name,
                Text(
                    $"'{name}' makes {prompt.Length} tokens with the decoder start token; 'max_length' is {longest}, which leaves none to generate."
                )
            );
        }

        Check(name, prompt);
        if (AllowedOutputs?.HasPrefix(prompt.AsSpan(1)) == false)
        {
            throw new GenerationParametersException(name, $"No output of 'allowed_outputs' begins with '{name}'.");
        }

        return this with
        {
            Prompt = prompt,
            MaxLength = longest,
            MinLength = Lengths.LeastAfter(prompt.Length),
        };
    }

    private GenerationSettings WithPrefix(GenerationParameters set, ParameterTexts texts) =>
        set switch
        {
            { DecoderInputIds: { } ids } => WithPrefix(ids, "decoder_input_ids"),
            { TargetPrefix: { } text } => WithPrefix(texts.ReadPrefix(text, FirstTokenId), "target_prefix"),
            _ when LanguagePrompt is { } language => WithPrefix([language], "tgt_lang"),
            _ => this,
        };

    private GenerationSettings WithAllowedOutputs(IReadOnlyList<AllowedOutput>? outputs, ParameterTexts texts)
    {
        if (outputs is null)
        {
            return this;
        }

        if (EosTokenIds.Count == 0)
        {
            throw new GenerationParametersException(
                "allowed_outputs",
                "'allowed_outputs' needs an end token, but 'eos_token_id' is set neither by the caller nor by the model."
            );
        }

        OutputTrie trie = texts.ReadAllowedOutputs(outputs, FirstTokenId, EosTokenIds);
        foreach (IReadOnlyList<int> output in trie.Outputs)
        {
            Check("allowed_outputs", output);
        }

        if (trie.LongestOutput >= MaxLength)
        {
            throw new GenerationParametersException(
                "allowed_outputs",
                Text(
                    $"'allowed_outputs' has one of {trie.LongestOutput} tokens with its end; 'max_new_tokens' and 'max_length' allow {MaxLength - 1}."
                )
            );
        }

        return this with
        {
            AllowedOutputs = trie,
        };
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

    private void CheckVocabulary()
    {
        Check("decoder_start_token_id", [DecoderStartTokenId]);
        Check("eos_token_id", EosTokenIds);
        Check("pad_token_id", NumBeamGroups > 1 && PadTokenId is { } padding ? [padding] : []);
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
