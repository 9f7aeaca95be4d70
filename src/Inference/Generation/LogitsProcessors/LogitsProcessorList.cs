namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>
/// The processors of one line, in the order of GenerationMixin._get_logits_processor, which is part of the result.
/// </summary>
internal sealed class LogitsProcessorList
{
    private readonly List<LogitsProcessor> _processors = [];

    private LogitsProcessorList() { }

    /// <summary>Whether there is nothing to do, so that scores may be read as the network left them.</summary>
    public bool IsEmpty => _processors.Count == 0;

    public static LogitsProcessorList Create(GenerationSettings settings, IReadOnlyList<int> source)
    {
        LogitsProcessorList list = new();
        List<LogitsProcessor> processors = list._processors;
        if (settings.SequenceBias is { } biases)
        {
            processors.Add(new SequenceBiasProcessor(biases));
        }

        if (!settings.EncoderRepetitionPenalty.Equals(1.0))
        {
            processors.Add(new EncoderRepetitionPenalty(settings.EncoderRepetitionPenalty, source));
        }

        if (!settings.RepetitionPenalty.Equals(1.0))
        {
            processors.Add(new RepetitionPenalty(settings.RepetitionPenalty));
        }

        if (settings.NoRepeatNgramSize > 0)
        {
            processors.Add(new NoRepeatNgram(settings.NoRepeatNgramSize));
        }

        if (settings.EncoderNoRepeatNgramSize > 0)
        {
            processors.Add(new EncoderNoRepeatNgram(settings.EncoderNoRepeatNgramSize, source));
        }

        if (settings.BadWordsIds is { } badWords)
        {
            processors.Add(NoBadWords(badWords, settings.EosTokenIds));
        }

        if (settings.MinLength > 0)
        {
            processors.Add(new MinLength(settings.MinLength, settings.EosTokenIds));
        }

        if (settings.ForcedBosTokenId is { } bos)
        {
            processors.Add(new ForcedTokens([bos], atLength: 1));
        }

        if (settings.ForcedEosTokenId is { } eos)
        {
            processors.Add(new ForcedTokens(eos, settings.MaxLength - 1));
        }

        if (settings.RemoveInvalidValues)
        {
            processors.Add(new InvalidValues());
        }

        if (settings.ExponentialDecayLengthPenalty is { } decay)
        {
            int start = decay.Start + 1 + settings.PromptTokens;
            processors.Add(new ExponentialDecayLengthPenalty(decay.Factor, start, settings.EosTokenIds));
        }

        if (settings.SuppressTokens is { } suppressed)
        {
            processors.Add(new SuppressTokens(suppressed));
        }

        if (settings.BeginSuppressTokens is { } beginSuppressed)
        {
            // A forced first token moves the beginning one further.
            processors.Add(new SuppressTokens(beginSuppressed, settings.ForcedBosTokenId is null ? 1 : 2));
        }

        if (settings.Sampling is { } sampling)
        {
            AddSampling(processors, sampling);
        }

        if (settings.RenormalizeLogits)
        {
            processors.Add(new LogitNormalization());
        }

        return list;
    }

    public void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        foreach (LogitsProcessor processor in _processors)
        {
            processor.Apply(sequence, scores);
        }
    }

    /// <summary>Says beforehand of which tokens alone <see cref="Apply"/> may change the scores.</summary>
    /// <param name="sequence">The row's tokens so far.</param>
    /// <param name="tokens">These tokens are added to it; one may be twice.</param>
    /// <returns>False when it may be any, or depends on the scores of others.</returns>
    public bool TryFindChanged(ReadOnlySpan<int> sequence, List<int> tokens)
    {
        foreach (LogitsProcessor processor in _processors)
        {
            if (!processor.TryFindChanged(sequence, tokens))
            {
                return false;
            }
        }

        return true;
    }

    private static void AddSampling(List<LogitsProcessor> processors, SamplingSettings sampling)
    {
        int keep = sampling.MinTokensToKeep;
        if (!sampling.Temperature.Equals(1.0))
        {
            processors.Add(new Temperature(sampling.Temperature));
        }

        if (sampling.TopK > 0)
        {
            processors.Add(new TopK(sampling.TopK, keep));
        }

        if (sampling.TopP < 1)
        {
            processors.Add(new TopP(sampling.TopP, keep));
        }

        if (sampling.MinP is { } minP)
        {
            processors.Add(new MinP(minP, keep));
        }

        if (sampling.TypicalP < 1)
        {
            processors.Add(new TypicalP(sampling.TypicalP, keep));
        }

        if (sampling.EpsilonCutoff > 0)
        {
            processors.Add(new EpsilonCutoff(sampling.EpsilonCutoff, keep));
        }

        if (sampling.EtaCutoff > 0)
        {
            processors.Add(new EtaCutoff(sampling.EtaCutoff, keep));
        }
    }

    /// <summary>To forbid a sequence is a bias of minus infinity; an end token alone can't be forbidden this way.</summary>
    private static SequenceBiasProcessor NoBadWords(IReadOnlyList<IReadOnlyList<int>> badWords, TokenIds endTokens) =>
        new([
            .. badWords
                .Where(word => word.Count != 1 || !endTokens.Contains(word[0]))
                .Select(word => new SequenceBias(word, double.NegativeInfinity)),
        ]);
}
