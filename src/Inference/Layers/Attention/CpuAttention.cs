using System.Runtime.InteropServices;
using Seq2Seq.Inference.Layers.Kernels;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// Attention on the CPU, straight on the memory of projections and caches: nothing is gathered, padded or copied. A row's
/// result is the same bits whatever rows are computed beside it, on however many threads.
/// </summary>
internal sealed unsafe class CpuAttention(int heads, int keyHeads, int headWidth, double scale)
    : MultiHeadAttention(heads, keyHeads, headWidth, scale)
{
    /// <summary>Rows that look for their keys together, where each sees only those near it.</summary>
    private const int RowsPerWindow = 64;

    /// <summary>Kernels read biases in whole vectors: up to seven beyond the last key.</summary>
    private const int BiasesBeyondTheLast = 7;

    private readonly List<AttentionGroup> _groups = [];

    public override void Encode(
        Rows projected,
        SourceBatch source,
        PositionBias? bias,
        Rows context,
        AttentionWindow? window = null,
        SideKeys? side = null
    )
    {
        Check(projected, ProjectedWidth, source.Tokens, context);
        _groups.Clear();
        for (int line = 0; line < source.Lines; line++)
        {
            AddLine(source, line, window, side);
        }

        AttentionArguments arguments = Arguments(projected, context);
        arguments.Keys = projected.Pointer + Width;
        arguments.KeyStride = ProjectedWidth;
        if (side is null)
        {
            arguments.SideKeys = arguments.Keys;
            arguments.SideKeyStride = arguments.KeyStride;
            Run(ref arguments, locations: default, bias, source.LongestLine);
            return;
        }

        arguments.SideKeys = side.Projected.Pointer + Width;
        arguments.SideKeyStride = ProjectedWidth;
        arguments.SideBiasStride = (2 * side.Bias.Reach(source.LongestLine)) + 1;
        arguments.SideBias = side.Bias.Of(head: 0, position: 0);
        fixed (int* positions = side.Positions)
        {
            arguments.SidePositions = positions;
            Run(ref arguments, locations: default, bias, source.LongestLine);
        }
    }

    public override void Remember(Rows projected, SourceBatch source, int layer)
    {
        Check(projected, 2 * KeyWidth, source.Tokens);
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            int length = source.Starts[line + 1] - start;
            projected.Slice(start, length).CopyTo(source.Memory.Span(layer, source.MemoryStarts[line], length));
        }
    }

    public override void Decode(
        Rows projected,
        DecoderBatch batch,
        int layer,
        PositionBias? bias,
        Rows context,
        int? window = null,
        bool withSource = false
    )
    {
        Check(projected, ProjectedWidth, batch.Count, context);
        _groups.Clear();
        int rows;
        for (int row = 0; row < batch.Count; row += rows)
        {
            // The rows of a sequence that feeds several tokens lie side by side, too; each sees those before it.
            rows = EqualFrom(batch.LocationStarts, row);
            int position = batch.Positions[row];
            int near = (window - 1) ?? AttentionGroup.Unlimited;
            int unseen = Math.Max(0, position - near);
            _groups.Add(
                new AttentionGroup(
                    row,
                    rows,
                    batch.LocationStarts[row] + unseen,
                    position + rows - unseen,
                    position - unseen
                )
                {
                    Before = near,
                    After = 0,
                    FirstSideKey = batch.MemoryStarts[row],
                    SideLength = withSource ? batch.MemoryLengths[row] : 0,
                }
            );
        }

        AttentionArguments arguments = Arguments(projected, context);
        arguments.Keys = batch.Cache.Pointer(layer);
        arguments.KeyStride = 2 * KeyWidth;
        arguments.NewKeys = projected.Pointer + Width;
        arguments.SideKeys = batch.Memory.Pointer(layer);
        arguments.SideKeyStride = 2 * KeyWidth;
        Run(ref arguments, batch.Locations, bias, batch.LongestSequence);
    }

    public override void Recall(Rows query, DecoderBatch batch, int layer, Rows context)
    {
        Check(query, Width, batch.Count, context);
        _groups.Clear();
        int rows;
        for (int row = 0; row < batch.Count; row += rows)
        {
            // Rows of one line lie side by side; its keys are fetched once for all of them.
            rows = EqualFrom(batch.MemoryStarts, row);
            _groups.Add(
                new AttentionGroup(row, rows, batch.MemoryStarts[row], batch.MemoryLengths[row], FirstPosition: 0)
            );
        }

        AttentionArguments arguments = Arguments(query, context);
        arguments.Keys = batch.Memory.Pointer(layer);
        arguments.KeyStride = 2 * KeyWidth;
        Run(ref arguments, locations: default, bias: null, batch.LongestMemory);
    }

    public override void Attend(Rows projected, AttentionPattern pattern, Rows context)
    {
        Check(projected, ProjectedWidth, projected.Count, context);
        _groups.Clear();
        foreach (AttentionPattern.Group group in pattern.Groups)
        {
            _groups.Add(
                new AttentionGroup(group.FirstRow, group.RowCount, group.FirstKey, group.KeyCount, FirstPosition: 0)
            );
        }

        AttentionArguments arguments = Arguments(projected, context);
        arguments.Keys = projected.Pointer + Width;
        arguments.KeyStride = ProjectedWidth;
        Run(ref arguments, pattern.Keys, bias: null, pattern.LongestGroup);
    }

    /// <summary>How many values from a place on are equal.</summary>
    private static int EqualFrom(ReadOnlySpan<int> values, int start)
    {
        int end = values[start..].IndexOfAnyExcept(values[start]);
        return end < 0 ? values.Length - start : end;
    }

    private void AddLine(SourceBatch source, int line, AttentionWindow? window, SideKeys? side)
    {
        int start = source.Starts[line];
        int length = source.Starts[line + 1] - start;
        int before = window?.Before ?? AttentionGroup.Unlimited;
        int after = window?.After ?? AttentionGroup.Unlimited;
        int rows = Math.Min(before, after) < length ? RowsPerWindow : length;
        // Global tokens stand beside the others, as keys that every row sees once.
        int globals = window is null ? 0 : Math.Min(source.GlobalTokens[line], length);
        for (int row = 0; row < length; row += rows)
        {
            int count = Math.Min(rows, length - row);
            int first = Math.Max(globals, row - before);
            int end = Math.Max(first, Math.Min(length, row + count + after));
            _groups.Add(
                new AttentionGroup(start + row, count, start + first, end - first, row - first)
                {
                    Before = before,
                    After = after,
                    FirstSideKey = side?.Starts[line] ?? start,
                    SideLength = side is null ? globals : side.Starts[line + 1] - side.Starts[line],
                }
            );
        }
    }

    private AttentionArguments Arguments(Rows queries, Rows context) =>
        new()
        {
            Queries = queries.Pointer,
            QueryStride = queries.Width,
            Output = context.Pointer,
            Heads = Heads,
            KeyHeads = KeyHeads,
            HeadWidth = HeadWidth,
            Scale = Scale,
        };

    private void Run(ref AttentionArguments arguments, ReadOnlySpan<int> locations, PositionBias? bias, int longest)
    {
        fixed (AttentionGroup* groups = CollectionsMarshal.AsSpan(_groups))
        fixed (int* pointer = locations)
        {
            arguments.Groups = groups;
            arguments.GroupCount = _groups.Count;
            arguments.Locations = pointer;
            if (bias is not null)
            {
                arguments.BiasStride = (2 * bias.Reach(longest + BiasesBeyondTheLast)) + 1;
                arguments.Bias = bias.Of(head: 0, position: 0);
            }

            AttentionKernel.Run(ref arguments);
        }
    }
}
