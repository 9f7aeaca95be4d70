using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// A plan as torch's operators need it: rows and keys of each group padded to the longest, and a mask. Padding points at
/// row or slot 0, whose values are finite; the mask makes them count for nothing.
/// </summary>
internal sealed class PlanTensors : IDisposable
{
    public PlanTensors(AttentionPlan plan, Device device)
    {
        ReadOnlySpan<AttentionGroup> groups = plan.Groups;
        int rowsPerGroup = 1;
        foreach (ref readonly AttentionGroup group in groups)
        {
            rowsPerGroup = Math.Max(rowsPerGroup, group.RowCount);
        }

        long[] rows = new long[groups.Length * rowsPerGroup];
        long[] keys = new long[groups.Length * plan.MaxLength];
        long[] rowOrder = new long[plan.RowCount];
        int[] positions = new int[rows.Length];
        bool[] hidden = new bool[rows.Length * plan.MaxLength];
        Array.Fill(hidden, value: true);
        for (int i = 0; i < groups.Length; i++)
        {
            AttentionGroup group = groups[i];
            for (int key = 0; key < group.Length; key++)
            {
                keys[(i * plan.MaxLength) + key] = plan.Slots.IsEmpty
                    ? group.FirstKey + key
                    : plan.Slots[group.FirstKey + key];
            }

            for (int row = 0; row < group.RowCount; row++)
            {
                int place = (i * rowsPerGroup) + row;
                rows[place] = group.FirstRow + row;
                rowOrder[group.FirstRow + row] = place;
                positions[place] = group.PositionOf(row);
                Array.Fill(hidden, value: false, place * plan.MaxLength, group.LengthFor(row));
            }
        }

        long count = groups.Length;
        Rows = tensor(rows, [count, rowsPerGroup], device: device).DetachFromDisposeScope();
        Keys = tensor(keys, [count, plan.MaxLength], device: device).DetachFromDisposeScope();
        RowOrder = tensor(rowOrder, device: device).DetachFromDisposeScope();
        Positions = tensor(positions, [count, rowsPerGroup], device: device).DetachFromDisposeScope();
        Hidden = tensor(hidden, [count, 1, rowsPerGroup, plan.MaxLength], device: device).DetachFromDisposeScope();
    }

    /// <summary>Rows of each group <c>[groups, rows]</c>.</summary>
    public Tensor Rows { get; }

    /// <summary>Slots, or rows, of each group's keys <c>[groups, length]</c>.</summary>
    public Tensor Keys { get; }

    /// <summary>Where each row stands in the padded <c>[groups · rows]</c>.</summary>
    public Tensor RowOrder { get; }

    /// <summary>Position of each row among its keys <c>[groups, rows]</c>.</summary>
    public Tensor Positions { get; }

    /// <summary>True where a row doesn't see a key <c>[groups, 1, rows, length]</c>.</summary>
    public Tensor Hidden { get; }

    public void Dispose()
    {
        Rows.Dispose();
        Keys.Dispose();
        RowOrder.Dispose();
        Positions.Dispose();
        Hidden.Dispose();
    }
}
