namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// Source lines that are encoded together: their tokens laid end to end, without padding, and where the decoder will find
/// each line's keys and values.
/// </summary>
internal sealed class SourceBatch
{
    /// <param name="lines">Token ids of each line; none is empty.</param>
    /// <param name="memory">Where the decoder's layers keep keys and values of the source.</param>
    /// <param name="memoryStarts">First location in <paramref name="memory"/> of each line.</param>
    /// <param name="globalTokens">See <see cref="GlobalTokens"/>; null: none.</param>
    public SourceBatch(
        IReadOnlyList<IReadOnlyList<int>> lines,
        KeyValueCache memory,
        IReadOnlyList<int> memoryStarts,
        IReadOnlyList<int>? globalTokens = null
    )
    {
        Starts = new int[lines.Count + 1];
        for (int line = 0; line < lines.Count; line++)
        {
            Starts[line + 1] = Starts[line] + lines[line].Count;
            LongestLine = Math.Max(LongestLine, lines[line].Count);
        }

        TokenIds = new int[Starts[^1]];
        Positions = new int[Starts[^1]];
        for (int line = 0; line < lines.Count; line++)
        {
            for (int i = 0; i < lines[line].Count; i++)
            {
                TokenIds[Starts[line] + i] = lines[line][i];
                Positions[Starts[line] + i] = i;
            }
        }

        Memory = memory;
        MemoryStarts = [.. memoryStarts];
        GlobalTokens = globalTokens is null ? new int[lines.Count] : [.. globalTokens];
    }

    public int Lines => Starts.Length - 1;

    public int Tokens => TokenIds.Length;

    /// <summary><c>[tokens]</c></summary>
    public int[] TokenIds { get; }

    /// <summary>Place of each token in its line, from 0.</summary>
    public int[] Positions { get; }

    /// <summary><c>[lines + 1]</c>: first token of each line, and the number of tokens.</summary>
    public int[] Starts { get; }

    public int LongestLine { get; }

    /// <summary><c>[lines]</c>: how many of a line's first tokens all of its tokens see, whatever an attention's window.</summary>
    public int[] GlobalTokens { get; }

    public KeyValueCache Memory { get; }

    /// <summary><c>[lines]</c></summary>
    public int[] MemoryStarts { get; }
}
