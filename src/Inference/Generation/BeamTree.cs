using Seq2Seq.Inference.Generation.Stopping;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// The sequences of a beam search as a tree: a node is a token and its parent node, so that beams share what they have in
/// common. It begins with the prompt.
/// </summary>
internal sealed class BeamTree(GenerationSettings settings)
{
    private readonly List<(int Token, int Parent, float LogProbability)> _nodes =
    [
        .. settings.Prompt.Select((token, place) => (token, place - 1, 0f)),
    ];
    private int[] _sequence = new int[16];

    /// <summary>The node of the prompt's last token.</summary>
    public int Root { get; } = settings.Prompt.Count - 1;

    /// <returns>The new node.</returns>
    public int Add(int token, int parent, float logProbability)
    {
        _nodes.Add((token, parent, logProbability));
        return _nodes.Count - 1;
    }

    /// <summary>Why a sequence would end with a next token; null while it goes on. Reads the sequence only for stop strings.</summary>
    /// <param name="stopping">When sequences end.</param>
    /// <param name="node">The last token's before it.</param>
    /// <param name="length">Number of tokens before it, the prompt included.</param>
    /// <param name="next">The token.</param>
    /// <param name="isTimeUp">Whether it is the last anyhow.</param>
    public FinishReason? ReasonToEnd(StoppingCriteria stopping, int node, int length, int next, bool isTimeUp)
    {
        if (!stopping.LooksAtSequence)
        {
            return stopping.ReasonToEnd(next, length + 1, isTimeUp);
        }

        Fill(node, length);
        _sequence[length] = next;
        return stopping.ReasonToEnd(_sequence.AsSpan(0, length + 1), isTimeUp);
    }

    /// <summary>The tokens up to a node. Valid until the next call.</summary>
    /// <param name="node">The last token's.</param>
    /// <param name="length">Number of tokens, the prompt included.</param>
    public ReadOnlySpan<int> Sequence(int node, int length)
    {
        Fill(node, length);
        return _sequence.AsSpan(0, length);
    }

    /// <param name="hypothesis">A finished sequence.</param>
    public SequenceOutput Output(Hypothesis hypothesis)
    {
        int prompt = settings.Prompt.Count;
        float[]? logProbabilities = settings.TokenLogprobs ? new float[hypothesis.Length - prompt] : null;
        int node = hypothesis.Node;
        for (int i = hypothesis.Length - 1; logProbabilities is not null && i >= prompt; i--)
        {
            (_, node, logProbabilities[i - prompt]) = _nodes[node];
        }

        return new SequenceOutput
        {
            TokenIds = Sequence(hypothesis.Node, hypothesis.Length)[1..].ToArray(),
            Score = hypothesis.Score,
            FinishReason = hypothesis.Reason,
            TokenLogprobs = logProbabilities,
        };
    }

    private void Fill(int node, int length)
    {
        if (_sequence.Length <= length)
        {
            Array.Resize(ref _sequence, 2 * length);
        }

        for (int i = length - 1; i >= 0; i--)
        {
            (_sequence[i], node, _) = _nodes[node];
        }
    }
}

/// <summary>A finished sequence of a beam search.</summary>
/// <param name="Score">Sum of log-probabilities divided by length ^ length penalty.</param>
/// <param name="Node">The last token's.</param>
/// <param name="Length">Number of tokens, the prompt included.</param>
/// <param name="Reason">Why it ended.</param>
internal sealed record Hypothesis(double Score, int Node, int Length, FinishReason Reason);
