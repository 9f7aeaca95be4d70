using System.Runtime.InteropServices;
using Seq2Seq.Inference.Layers.Kernels;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// Attention on the CPU, straight on the memory of projections and caches: nothing is gathered, padded or copied. A row's
/// result is the same bits whatever rows are computed beside it, on however many threads.
/// </summary>
internal sealed unsafe class CpuAttention(int heads, int headWidth, double scale)
    : MultiHeadAttention(heads, headWidth, scale)
{
    /// <summary>Kernels read biases in whole vectors: up to seven beyond the last key.</summary>
    private const int BiasesBeyondTheLast = 7;

    private readonly List<AttentionGroup> _groups = [];

    public override void Encode(Rows projected, SourceBatch source, PositionBias? bias, Rows context)
    {
        Check(projected, 3 * Width, source.Tokens, context);
        _groups.Clear();
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            int length = source.Starts[line + 1] - start;
            _groups.Add(new AttentionGroup(start, length, start, length, IsCausal: false));
        }

        AttentionArguments arguments = Arguments(projected, context);
        arguments.Keys = projected.Pointer + Width;
        arguments.KeyStride = 3 * Width;
        Run(ref arguments, locations: default, bias, source.LongestLine);
    }

    public override void Remember(Rows projected, SourceBatch source, int layer)
    {
        Check(projected, 2 * Width, source.Tokens);
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            int length = source.Starts[line + 1] - start;
            projected.Slice(start, length).CopyTo(source.Memory.Span(layer, source.MemoryStarts[line], length));
        }
    }

    public override void Decode(Rows projected, DecoderBatch batch, int layer, PositionBias? bias, Rows context)
    {
        Check(projected, 3 * Width, batch.Count, context);
        _groups.Clear();
        int rows;
        for (int row = 0; row < batch.Count; row += rows)
        {
            rows = EqualFrom(batch.LocationStarts, row);
            int length = batch.Positions[row + rows - 1] + 1;
            _groups.Add(new AttentionGroup(row, rows, batch.LocationStarts[row], length, IsCausal: true));
        }

        AttentionArguments arguments = Arguments(projected, context);
        arguments.Keys = batch.Cache.Pointer(layer);
        arguments.KeyStride = 2 * Width;
        arguments.NewKeys = projected.Pointer + Width;
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
                new AttentionGroup(row, rows, batch.MemoryStarts[row], batch.MemoryLengths[row], IsCausal: false)
            );
        }

        AttentionArguments arguments = Arguments(query, context);
        arguments.Keys = batch.Memory.Pointer(layer);
        arguments.KeyStride = 2 * Width;
        Run(ref arguments, locations: default, bias: null, batch.LongestMemory);
    }

    /// <summary>How many values from a place on are equal.</summary>
    private static int EqualFrom(ReadOnlySpan<int> values, int start)
    {
        int end = values[start..].IndexOfAnyExcept(values[start]);
        return end < 0 ? values.Length - start : end;
    }

    private AttentionArguments Arguments(Rows queries, Rows context) =>
        new()
        {
            Queries = queries.Pointer,
            QueryStride = queries.Width,
            Output = context.Pointer,
            Heads = Heads,
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
