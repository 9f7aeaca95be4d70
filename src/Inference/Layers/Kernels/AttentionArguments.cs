namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Operands of one attention of many rows.</summary>
internal unsafe struct AttentionArguments
{
    /// <summary>Heads of the queries.</summary>
    public int Heads;

    /// <summary>Heads of the keys; each serves as many heads of queries, one after the other.</summary>
    public int KeyHeads;
    public int HeadWidth;
    public float Scale;

    /// <summary>Query of the first row; heads lie side by side.</summary>
    public float* Queries;

    /// <summary>Floats from one query to the next.</summary>
    public nint QueryStride;

    /// <summary>Key at location 0; a key's value lies behind it, key heads · head width floats further.</summary>
    public float* Keys;

    /// <summary>Floats from one key to the next.</summary>
    public nint KeyStride;

    /// <summary>Key of the first row, to be stored in its place before it is read; null where all keys are there.</summary>
    public float* NewKeys;

    /// <summary>Bias of head 0 at distance 0, or null.</summary>
    public float* Bias;

    /// <summary>Floats from one head's biases to the next.</summary>
    public nint BiasStride;

    /// <summary>Keys that rows see beside those of <see cref="Keys"/>, likewise made; null where groups have none.</summary>
    public float* SideKeys;

    /// <summary>Floats from one side key to the next.</summary>
    public nint SideKeyStride;

    /// <summary>Bias of head 0 at distance 0 from a row's side position to a side key, or null.</summary>
    public float* SideBias;

    /// <summary>Floats from one head's side biases to the next.</summary>
    public nint SideBiasStride;

    /// <summary>Where each row stands among the side keys of its group, for their biases.</summary>
    public int* SidePositions;

    /// <summary>Output of the first row, heads · head width floats a row.</summary>
    public float* Output;

    public AttentionGroup* Groups;
    public int GroupCount;

    /// <summary>Where the groups' keys lie, end to end; null: a group's keys follow each other.</summary>
    public int* Locations;

    /// <summary>Heads of a group that a chunk of the team's work takes together.</summary>
    public int HeadsPerChunk;
}

/// <summary>
/// Rows that attend to the same keys, or to windows of them: row i stands at <c>FirstPosition + i</c> among the keys and
/// sees those from <see cref="Before"/> in front of it to <see cref="After"/> behind it, then all side keys. A row may
/// stand before the first key.
/// </summary>
/// <param name="FirstRow">First of the rows.</param>
/// <param name="RowCount">Number of rows.</param>
/// <param name="FirstKey">Where the keys begin: in the locations, or the first key's own location.</param>
/// <param name="Length">Number of keys.</param>
/// <param name="FirstPosition">Position of the first row among the keys.</param>
internal readonly record struct AttentionGroup(int FirstRow, int RowCount, int FirstKey, int Length, int FirstPosition)
{
    /// <summary>Farther than any key, and no overflow when a position is added.</summary>
    public const int Unlimited = int.MaxValue / 2;

    public int Before { get; init; } = Unlimited;

    public int After { get; init; } = Unlimited;

    /// <summary>Location of the first side key.</summary>
    public int FirstSideKey { get; init; }

    public int SideLength { get; init; }

    /// <summary>Position, among the keys, of a row of this group.</summary>
    public int PositionOf(int row) => FirstPosition + row;

    /// <summary>First key that a row of this group sees.</summary>
    public int StartFor(int row) => Math.Max(0, PositionOf(row) - Before);

    /// <summary>The key behind the last one that a row of this group sees.</summary>
    public int EndFor(int row) => Math.Clamp(PositionOf(row) + After + 1, 0, Length);
}
