namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// Which rows see which, where not all see all: groups of rows, each with a list of those that they attend to. A row may
/// stand in a list more than once and then weighs as often. Filled anew for each batch; its lists only grow.
/// </summary>
internal sealed class AttentionPattern
{
    private readonly List<Group> _groups = [];
    private int[] _keys = new int[1024];
    private int _count;

    public IReadOnlyList<Group> Groups => _groups;

    /// <summary>The rows that groups attend to, end to end.</summary>
    public ReadOnlySpan<int> Keys => _keys.AsSpan(0, _count);

    public int LongestGroup { get; private set; }

    public void Clear()
    {
        _groups.Clear();
        _count = 0;
        LongestGroup = 0;
    }

    /// <summary>Begins a group of rows that follow each other. Its keys are those added next.</summary>
    public void Begin(int firstRow, int rowCount) => _groups.Add(new Group(firstRow, rowCount, _count, 0));

    /// <summary>Adds rows that the last group attends to.</summary>
    public void See(int firstRow, int rowCount)
    {
        if (_count + rowCount > _keys.Length)
        {
            Array.Resize(ref _keys, Math.Max(_count + rowCount, 2 * _keys.Length));
        }

        for (int i = 0; i < rowCount; i++)
        {
            _keys[_count++] = firstRow + i;
        }

        Group grown = _groups[^1] with { KeyCount = _groups[^1].KeyCount + rowCount };
        _groups[^1] = grown;
        LongestGroup = Math.Max(LongestGroup, grown.KeyCount);
    }

    /// <summary>Rows and where their keys stand in <see cref="Keys"/>.</summary>
    internal readonly record struct Group(int FirstRow, int RowCount, int FirstKey, int KeyCount);
}
