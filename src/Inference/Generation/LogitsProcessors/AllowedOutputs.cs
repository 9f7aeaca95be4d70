using Seq2Seq.Inference.Generation.Constraints;

namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Leaves the tokens that go on towards an allowed output (PrefixConstrainedLogitsProcessor with a trie).</summary>
internal sealed class AllowedOutputs(OutputTrie trie) : LogitsProcessor
{
    private readonly List<int> _tokens = [];
    private float[] _kept = [];

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        _tokens.Clear();
        // The decoder start token is not part of an output.
        trie.AddContinuations(sequence[1..], _tokens);
        if (_kept.Length < _tokens.Count)
        {
            _kept = new float[_tokens.Count];
        }

        for (int i = 0; i < _tokens.Count; i++)
        {
            _kept[i] = scores[_tokens[i]];
        }

        scores.Fill(float.NegativeInfinity);
        for (int i = 0; i < _tokens.Count; i++)
        {
            scores[_tokens[i]] = _kept[i];
        }
    }
}
