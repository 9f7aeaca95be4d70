namespace Seq2Seq.Inference.Generation.Constraints;

/// <summary>
/// The outputs that may come, as a trie over their tokens: which tokens can follow a prefix (De Cao et al. 2021,
/// "Autoregressive Entity Retrieval", arXiv 2010.00904). Thread-safe.
/// </summary>
// The sorted list of outputs is the trie: a node is the range of outputs that begin alike, its children follow from where the
// next token changes.
internal sealed class OutputTrie
{
    private readonly int[][] _outputs;
    private readonly TokenIds _endTokens;

    /// <param name="outputs">Token ids without decoder start token; each with an end token, or without.</param>
    /// <param name="endTokens">Tokens that may follow a whole output; at least one.</param>
    public OutputTrie(IEnumerable<IReadOnlyList<int>> outputs, TokenIds endTokens)
    {
        _endTokens = endTokens;
        _outputs =
        [
            .. outputs.Select(output =>
                output.Count > 0 && endTokens.Contains(output[^1]) ? [.. output.SkipLast(1)] : output.ToArray()
            ),
        ];
        Array.Sort(_outputs, (a, b) => a.AsSpan().SequenceCompareTo(b));
        LongestOutput = 1 + _outputs.Max(output => output.Length);
    }

    /// <summary>The outputs without their end tokens, in order.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Outputs => _outputs;

    /// <summary>Tokens of the longest, its end token included.</summary>
    public int LongestOutput { get; }

    /// <summary>Whether an output begins like this.</summary>
    public bool HasPrefix(ReadOnlySpan<int> prefix) => Find(prefix).Count > 0;

    /// <summary>Whether this is a whole output with its end token, or the beginning of one that was stopped before.</summary>
    public bool Allows(SequenceOutput output)
    {
        int[] tokens = [.. output.TokenIds];
        return HasPrefix(tokens)
            || (tokens.Length > 0 && _endTokens.Contains(tokens[^1]) && IsWhole(tokens.AsSpan()[..^1]));
    }

    /// <summary>Adds the tokens that can follow a prefix, each once; none where no output begins like this.</summary>
    public void AddContinuations(ReadOnlySpan<int> prefix, List<int> tokens)
    {
        (int start, int count) = Find(prefix);
        int end = start + count;
        if (count > 0 && _outputs[start].Length == prefix.Length)
        {
            tokens.AddRange(_endTokens);
            start = FirstLonger(prefix.Length, start, end);
        }

        while (start < end)
        {
            int token = _outputs[start][prefix.Length];
            tokens.Add(token);
            start = FirstAbove(token, prefix.Length, start, end);
        }
    }

    private bool IsWhole(ReadOnlySpan<int> output)
    {
        (int start, int count) = Find(output);
        return count > 0 && _outputs[start].Length == output.Length;
    }

    private (int Start, int Count) Find(ReadOnlySpan<int> prefix)
    {
        int start = 0;
        int end = _outputs.Length;
        for (int depth = 0; depth < prefix.Length && start < end; depth++)
        {
            // An output that ends here is less than every one that goes on.
            start = FirstLonger(depth, start, end);
            start = FirstAbove(prefix[depth] - 1, depth, start, end);
            end = FirstAbove(prefix[depth], depth, start, end);
        }

        return (start, end - start);
    }

    /// <summary>The first output of a range that has a token at this depth.</summary>
    private int FirstLonger(int depth, int start, int end) => First(start, end, output => output.Length > depth);

    /// <summary>The first output of a range, all of which have a token at this depth, where that is above another.</summary>
    private int FirstAbove(int token, int depth, int start, int end) =>
        First(start, end, output => output[depth] > token);

    /// <summary>The first output of a range that a condition holds for, which then holds for the rest.</summary>
    private int First(int start, int end, Predicate<int[]> holds)
    {
        while (start < end)
        {
            int middle = start + ((end - start) / 2);
            if (holds(_outputs[middle]))
            {
                end = middle;
            }
            else
            {
                start = middle + 1;
            }
        }

        return start;
    }
}
