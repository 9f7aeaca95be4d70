namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Operands of one attention of many rows.</summary>
internal unsafe struct AttentionArguments
{
    public int Heads;
    public int HeadWidth;
    public float Scale;

    /// <summary>Query of the first row; heads lie side by side.</summary>
    public float* Queries;

    /// <summary>Floats from one query to the next.</summary>
    public nint QueryStride;

    /// <summary>Key at location 0; a key's value lies behind it, heads · head width floats further.</summary>
    public float* Keys;

    /// <summary>Floats from one key to the next.</summary>
    public nint KeyStride;

    /// <summary>Key of the first row, to be stored in its place before it is read; null where all keys are there.</summary>
    public float* NewKeys;

    /// <summary>Bias of head 0 at distance 0, or null.</summary>
    public float* Bias;

    /// <summary>Floats from one head's biases to the next.</summary>
    public nint BiasStride;

    /// <summary>Output of the first row, heads · head width floats a row.</summary>
    public float* Output;

    public AttentionGroup* Groups;
    public int GroupCount;

    /// <summary>Where the groups' keys lie, end to end; null: a group's keys follow each other.</summary>
    public int* Locations;

    /// <summary>Heads of a group that a chunk of the team's work takes together.</summary>
    public int HeadsPerChunk;
}

/// <summary>Rows that attend to the same keys.</summary>
/// <param name="FirstRow">First of the rows.</param>
/// <param name="RowCount">Number of rows.</param>
/// <param name="FirstKey">Where the keys begin: in the locations, or the first key's own location.</param>
/// <param name="Length">Number of keys.</param>
/// <param name="IsCausal">The rows are the last keys' own: row i of n sees the first <c>length − n + 1 + i</c> keys.</param>
internal readonly record struct AttentionGroup(int FirstRow, int RowCount, int FirstKey, int Length, bool IsCausal)
{
    /// <summary>Position, among the keys, of a row of this group.</summary>
    public int PositionOf(int row) => IsCausal ? Length - RowCount + row : row;

    /// <summary>Number of keys that a row of this group sees.</summary>
    public int LengthFor(int row) => IsCausal ? Length - RowCount + row + 1 : Length;
}
