namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>The special tokens before, between and behind one or two sequences.</summary>
internal sealed record SequenceFrame(IReadOnlyList<int> Before, IReadOnlyList<int> Between, IReadOnlyList<int> Behind)
{
    public static SequenceFrame None { get; } = new([], [], []);

    /// <summary>A end; A end B end.</summary>
    public static SequenceFrame EndOfEach(int end) => new([], [end], [end]);

    /// <summary>Puts no second end behind a sequence that has one.</summary>
    public bool KeepsOwnEnd { get; init; }

    public int CountAdded(bool isPair) => Before.Count + Behind.Count + (isPair ? Between.Count : 0);

    public List<int> Around(List<int> first, List<int>? second)
    {
        var ids = new List<int>(first.Count + (second?.Count ?? 0) + 4);
        ids.AddRange(Before);
        ids.AddRange(first);
        if (second is not null)
        {
            AddEnd(ids, first, Between);
            ids.AddRange(second);
        }
        AddEnd(ids, second ?? first, Behind);
        return ids;
    }

    private void AddEnd(List<int> ids, List<int> sequence, IReadOnlyList<int> end)
    {
        if (!(KeepsOwnEnd && sequence.Count > 0 && end.Count == 1 && sequence[^1] == end[0]))
            ids.AddRange(end);
    }
}
