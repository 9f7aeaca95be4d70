using CsCheck;
using Seq2Seq.Inference.Generation.Constraints;

namespace Seq2Seq.Inference.Tests.Generation.Constraints;

public sealed class OutputTrieTests
{
    private const int End = 1;

    private static readonly Gen<int[]> Output = Gen.Int[2, 5].Array[0, 5];

    [Fact]
    public void What_can_follow_a_prefix_is_what_follows_it_in_some_output() =>
        Gen.Select(Output.Array[1, 20], Output)
            .Sample(
                (outputs, prefix) =>
                {
                    List<int> found = [];
                    OutputTrie trie = new(outputs, [End]);
                    trie.AddContinuations(prefix, found);
                    int[] expected =
                    [
                        .. outputs
                            .Select(output => output.Append(End).ToArray())
                            .Where(output =>
                                output.Length > prefix.Length && output.Take(prefix.Length).SequenceEqual(prefix)
                            )
                            .Select(output => output[prefix.Length])
                            .Distinct()
                            .Order(),
                    ];
                    return found.SequenceEqual(expected)
                        && trie.HasPrefix(prefix) == (expected.Length > 0)
                        && trie.LongestOutput == outputs.Max(output => output.Length) + 1;
                }
            );

    [Fact]
    public void An_end_token_may_be_given_or_not()
    {
        OutputTrie trie = new(
            [
                [5, End],
                [6],
            ],
            [End, 9]
        );
        List<int> found = [];

        trie.AddContinuations([5], found);
        trie.AddContinuations([6], found);

        found.Should().Equal(End, 9, End, 9);
    }
}
