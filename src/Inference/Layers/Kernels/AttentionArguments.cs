namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Operands of one attention over the groups of a plan.</summary>
internal unsafe struct AttentionArguments
{
    public int Heads;
    public int HeadWidth;
    public float Scale;

    /// <summary>Query of the first row; heads lie side by side.</summary>
    public float* Queries;

    /// <summary>Floats from one query to the next.</summary>
    public nint QueryStride;

    /// <summary>Key of slot 0, or (encoder) of row 0; a key's value lies behind it, heads · head width floats further.</summary>
    public float* Keys;

    /// <summary>Floats from one key to the next.</summary>
    public nint KeyStride;

    /// <summary>Key of the first row, to be stored in its slot before it is read; null where all keys are there.</summary>
    public float* NewKeys;

    /// <summary>Bias of head 0 at distance 0, or null.</summary>
    public float* Bias;

    /// <summary>Floats from one head's biases to the next.</summary>
    public nint BiasStride;

    /// <summary>Output of the first row, heads · head width floats a row.</summary>
    public float* Output;

    public AttentionGroup* Groups;
    public int GroupCount;

    /// <summary>Slots of the groups' keys; null: keys are numbered as the rows are.</summary>
    public int* Slots;

    /// <summary>The most keys of a group.</summary>
    public int MaxLength;

    /// <summary>Next unit of work, for the threads of a team to take.</summary>
    public int NextUnit;
}
