using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Which rows attend to which keys, in groups: rows of a group read the same keys, so their memory is fetched once. Filled
/// once a step (or once an encoder pass) and used by all layers. Groups take rows in the order in which they are added;
/// there is no padding anywhere.
/// </summary>
internal sealed class AttentionPlan : IDisposable
{
    private readonly List<AttentionGroup> _groups = [];
    private readonly List<int> _slots = [];
    private PlanTensors? _tensors;

    /// <summary>Rows of all groups.</summary>
    public int RowCount { get; private set; }

    /// <summary>The most keys that a group has.</summary>
    public int MaxLength { get; private set; }

    /// <summary>The highest slot; −1 when there is none.</summary>
    public int MaxSlot { get; private set; } = -1;

    public ReadOnlySpan<AttentionGroup> Groups => CollectionsMarshal.AsSpan(_groups);

    /// <summary>Slots in a cache of the keys of all groups, end to end; empty in an encoder's plan.</summary>
    public ReadOnlySpan<int> Slots => CollectionsMarshal.AsSpan(_slots);

    /// <summary>The keys' slots of a group.</summary>
    public ReadOnlySpan<int> SlotsOf(in AttentionGroup group) => Slots.Slice(group.FirstKey, group.Length);

    public void Clear()
    {
        _groups.Clear();
        _slots.Clear();
        RowCount = 0;
        MaxLength = 0;
        MaxSlot = -1;
        DropTensors();
    }

    /// <summary>The plan for torch's operators; made once, kept until the plan changes.</summary>
    public PlanTensors TensorsOn(Device device) => _tensors ??= new PlanTensors(this, device);

    public void Dispose() => DropTensors();

    /// <summary>Encoder: a line whose tokens attend to each other.</summary>
    public void AddLine(int length) => Add(length, RowCount, length, causal: false);

    /// <summary>
    /// Decoder, self-attention: the last <paramref name="rows"/> positions of one hypothesis, each of which sees itself and
    /// what came before. One row in plain decoding, more when drafted tokens are verified.
    /// </summary>
    /// <param name="rows">Rows, at least one.</param>
    /// <param name="slots">Slot of every position so far, those of the rows included (their keys are stored by the step).</param>
    public void AddHypothesis(int rows, ReadOnlySpan<int> slots)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, slots.Length);
        AddSlots(rows, slots, causal: true);
    }

    /// <summary>Decoder, cross-attention: the rows of a line's hypotheses, all of which see the whole source.</summary>
    /// <param name="rows">Rows, at least one.</param>
    /// <param name="slots">Slot of every source token.</param>
    public void AddSource(int rows, ReadOnlySpan<int> slots)
    {
        AddSlots(rows, slots, causal: false);
    }

    private void AddSlots(int rows, ReadOnlySpan<int> slots, bool causal)
    {
        Add(rows, _slots.Count, slots.Length, causal);
        _slots.AddRange(slots);
        foreach (int slot in slots)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(slot, nameof(slots));
            MaxSlot = Math.Max(MaxSlot, slot);
        }
    }

    private void Add(int rows, int firstKey, int length, bool causal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        _groups.Add(new AttentionGroup(RowCount, rows, firstKey, length, causal));
        RowCount += rows;
        MaxLength = Math.Max(MaxLength, length);
        DropTensors();
    }

    private void DropTensors()
    {
        _tensors?.Dispose();
        _tensors = null;
    }
}

/// <summary>Rows that attend to the same keys.</summary>
/// <param name="FirstRow">First of the rows.</param>
/// <param name="RowCount">Number of rows.</param>
/// <param name="FirstKey">Where the keys begin: in the plan's slots, or (encoder) among the rows.</param>
/// <param name="Length">Number of keys.</param>
/// <param name="Causal">The rows are the last keys' own: row i of n sees the first <c>length − n + 1 + i</c> keys.</param>
internal readonly record struct AttentionGroup(int FirstRow, int RowCount, int FirstKey, int Length, bool Causal)
{
    /// <summary>Position, among the keys, of a row of this group.</summary>
    public int PositionOf(int row) => Causal ? Length - RowCount + row : row;

    /// <summary>Number of keys that a row of this group sees.</summary>
    public int LengthFor(int row) => Causal ? Length - RowCount + row + 1 : Length;
}
