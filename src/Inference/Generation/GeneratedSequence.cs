using Seq2Seq.Inference.Generation.Stopping;

namespace Seq2Seq.Inference.Generation;

/// <summary>A sequence that grows token by token until it ends, with what becomes its output.</summary>
internal sealed class GeneratedSequence
{
    private readonly GenerationSettings _settings;
    private readonly StoppingCriteria _stopping;
    private readonly List<float>? _logProbabilities;
    private int[] _tokens;
    private double _logProbability;
    private FinishReason? _finished;

    public GeneratedSequence(GenerationSettings settings, StoppingCriteria stopping)
    {
        _settings = settings;
        _stopping = stopping;
        _tokens = [.. settings.Prompt, .. new int[15]];
        Length = settings.Prompt.Count;
        _logProbabilities = settings.TokenLogprobs ? [] : null;
    }

    /// <summary>Tokens so far, the prompt included.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Length);

    public bool IsFinished => _finished is not null;

    /// <param name="token">The next token.</param>
    /// <param name="logProbability">Its log-probability.</param>
    public void Add(int token, float logProbability)
    {
        Reserve(Length + 1);
        _tokens[Length++] = token;
        _logProbability += logProbability;
        _logProbabilities?.Add(logProbability);
        _finished = _stopping.ReasonToEnd(Tokens, _stopping.IsTimeUp);
    }

    /// <summary>The tokens, and room behind them for guesses, which stay there until the next token is added.</summary>
    public Span<int> WithGuesses(int count)
    {
        Reserve(Length + count);
        return _tokens.AsSpan(0, Length + count);
    }

    public SequenceOutput Output() =>
        new()
        {
            TokenIds = _tokens[1..Length],
            Score = _logProbability / _settings.LengthDivisor(Length - 1),
            FinishReason = _finished ?? FinishReason.Length,
            TokenLogprobs = _logProbabilities,
        };

    private void Reserve(int length)
    {
        if (_tokens.Length < length)
        {
            Array.Resize(ref _tokens, Math.Max(length, 2 * _tokens.Length));
        }
    }
}
