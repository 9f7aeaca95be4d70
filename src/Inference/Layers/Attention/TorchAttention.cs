using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// Attention on torch's operators, for other devices than the CPU and processors without AVX2: keys are gathered, padded to
/// the longest line and masked.
/// </summary>
internal sealed class TorchAttention(int heads, int keyHeads, int headWidth, double scale)
    : MultiHeadAttention(heads, keyHeads, headWidth, scale)
{
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
        Tensor target = context.Tensor;
        using DisposeScope scope = NewDisposeScope();
        Tensor all = projected.Tensor;
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            int length = source.Starts[line + 1] - start;
            Tensor own = all.narrow(0, start, length).unsqueeze(0);
            Tensor queries = own.narrow(2, 0, Width);
            Tensor values = own.narrow(2, Width + KeyWidth, KeyWidth);
            Tensor scores = Scores(queries, own.narrow(2, Width, KeyWidth));
            Tensor positions = arange(length, ScalarType.Int64, all.device);
            if (bias is not null)
            {
                scores.add_(BiasOf(bias, positions, length));
            }

            if (window is { } near)
            {
                Tensor distances = positions.unsqueeze(0) - positions.unsqueeze(1);
                Tensor isFar = distances.lt(-near.Before).logical_or(distances.gt(near.After));
                isFar.logical_and_(positions.ge(source.GlobalTokens[line]).unsqueeze(0));
                scores.masked_fill_(isFar, float.NegativeInfinity);
            }

            if (side is not null && side.Starts[line + 1] > side.Starts[line])
            {
                int sideLength = side.Starts[line + 1] - side.Starts[line];
                Tensor beside = side.Projected.Tensor.narrow(0, side.Starts[line], sideLength).unsqueeze(0);
                long[] places = [.. side.Positions.AsSpan(start, length).ToArray()];
                Tensor sideScores = Scores(queries, beside.narrow(2, Width, KeyWidth));
                sideScores.add_(BiasOf(side.Bias, tensor(places, device: all.device), sideLength));
                scores = cat([scores, sideScores], 3);
                values = cat([values, beside.narrow(2, Width + KeyWidth, KeyWidth)], 1);
            }

            target.narrow(0, start, length).copy_(Sum(scores, values).squeeze(0));
        }
    }

    public override void Remember(Rows projected, SourceBatch source, int layer)
    {
        Check(projected, 2 * KeyWidth, source.Tokens);
        using DisposeScope scope = NewDisposeScope();
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            int length = source.Starts[line + 1] - start;
            Tensor places = source.Memory.Layer(layer).narrow(0, source.MemoryStarts[line], length);
            places.copy_(projected.Tensor.narrow(0, start, length));
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
        if (batch.Count == 0)
        {
            return;
        }

        long[] own = new long[batch.Count];
        long[] positions = new long[batch.Count];
        long[] locations = new long[batch.Count * batch.LongestSequence];
        for (int row = 0; row < batch.Count; row++)
        {
            int first = batch.LocationStarts[row];
            positions[row] = batch.Positions[row];
            own[row] = batch.Locations[first + batch.Positions[row]];
            for (int i = 0; i < batch.LongestSequence; i++)
            {
                locations[(row * batch.LongestSequence) + i] = batch.Locations[
                    first + Math.Min(i, batch.Positions[row])
                ];
            }
        }

        Tensor target = context.Tensor;
        using DisposeScope scope = NewDisposeScope();
        Tensor all = projected.Tensor;
        Tensor cache = batch.Cache.Layer(layer);
        cache.index_copy_(0, tensor(own, device: all.device), all.narrow(1, Width, 2 * KeyWidth));
        Tensor queries = all.narrow(1, 0, Width);
        Tensor position = tensor(positions, device: all.device);
        (Tensor scores, Tensor values) = Attend(queries, cache, locations, position, bias);
        if (window < batch.LongestSequence)
        {
            Tensor keys = arange(batch.LongestSequence, ScalarType.Int64, all.device);
            Tensor isBefore = keys.unsqueeze(0).le(position.unsqueeze(1) - window.Value);
            scores.masked_fill_(isBefore.view(batch.Count, 1, 1, -1), float.NegativeInfinity);
        }

        if (withSource)
        {
            (Tensor sourceScores, Tensor sourceValues) = AttendSource(queries, batch, layer);
            scores = cat([scores, sourceScores], 3);
            values = cat([values, sourceValues], 1);
        }

        target.copy_(Sum(scores, values).squeeze(1));
    }

    public override void Recall(Rows query, DecoderBatch batch, int layer, Rows context)
    {
        Check(query, Width, batch.Count, context);
        if (batch.Count == 0)
        {
            return;
        }

        Tensor target = context.Tensor;
        using DisposeScope scope = NewDisposeScope();
        (Tensor scores, Tensor values) = AttendSource(query.Tensor, batch, layer);
        target.copy_(Sum(scores, values).squeeze(1));
    }

    private (Tensor Scores, Tensor Values) AttendSource(Tensor queries, DecoderBatch batch, int layer)
    {
        long[] locations = new long[batch.Count * batch.LongestMemory];
        long[] last = new long[batch.Count];
        for (int row = 0; row < batch.Count; row++)
        {
            last[row] = batch.MemoryLengths[row] - 1;
            for (int i = 0; i < batch.LongestMemory; i++)
            {
                locations[(row * batch.LongestMemory) + i] = batch.MemoryStarts[row] + Math.Min(i, last[row]);
            }
        }

        Tensor position = tensor(last, device: queries.device);
        return Attend(queries, batch.Memory.Layer(layer), locations, position, bias: null);
    }

    public override void Attend(Rows projected, AttentionPattern pattern, Rows context)
    {
        Check(projected, ProjectedWidth, projected.Count, context);
        Tensor target = context.Tensor;
        Tensor all = projected.Tensor;
        foreach (AttentionPattern.Group group in pattern.Groups)
        {
            using DisposeScope scope = NewDisposeScope();
            int[] keys = pattern.Keys.Slice(group.FirstKey, group.KeyCount).ToArray();
            Tensor seen = all.index_select(0, tensor(keys, device: all.device)).unsqueeze(0);
            Tensor queries = all.narrow(0, group.FirstRow, group.RowCount).narrow(1, 0, Width).unsqueeze(0);
            Tensor scores = Scores(queries, seen.narrow(2, Width, KeyWidth));
            target
                .narrow(0, group.FirstRow, group.RowCount)
                .copy_(Sum(scores, seen.narrow(2, Width + KeyWidth, KeyWidth)).squeeze(0));
        }
    }

    /// <summary>
    /// Each row's scores with the keys at its locations up to its last one, and their values; what is beyond repeats that
    /// one and is masked.
    /// </summary>
    private (Tensor Scores, Tensor Values) Attend(
        Tensor queries,
        Tensor cache,
        long[] locations,
        Tensor last,
        PositionBias? bias
    )
    {
        long count = queries.shape[0];
        long length = locations.Length / count;
        Tensor gathered = cache
            .index_select(0, tensor(locations, device: cache.device))
            .view(count, length, 2 * KeyWidth);
        Tensor scores = Scores(queries.unsqueeze(1), gathered.narrow(2, 0, KeyWidth));
        if (bias is not null)
        {
            scores.add_(BiasOf(bias, last, (int)length).transpose(0, 1).unsqueeze(2));
        }

        Tensor isHidden = arange(length, ScalarType.Int64, cache.device).unsqueeze(0).gt(last.unsqueeze(1));
        scores.masked_fill_(isHidden.view(count, 1, 1, length), float.NegativeInfinity);
        return (scores, gathered.narrow(2, KeyWidth, KeyWidth));
    }

    /// <summary><c>[lines, queries, width]</c>, <c>[lines, keys, key width]</c> → <c>[lines, heads, queries, keys]</c>.</summary>
    private Tensor Scores(Tensor queries, Tensor keys) =>
        Split(queries, Heads).matmul(SplitKeys(keys).transpose(2, 3)).mul_(Scale);

    /// <summary><c>[lines, heads, queries, keys]</c>, <c>[lines, keys, key width]</c> → <c>[lines, queries, width]</c>.</summary>
    private Tensor Sum(Tensor scores, Tensor values) =>
        scores.softmax(-1).matmul(SplitKeys(values)).transpose(1, 2).reshape(values.shape[0], -1, Width);

    private Tensor SplitKeys(Tensor rows) =>
        KeyHeads == Heads ? Split(rows, Heads) : Split(rows, KeyHeads).repeat_interleave(Heads / KeyHeads, 1);

    private Tensor Split(Tensor rows, int heads) => rows.reshape(rows.shape[0], -1, heads, HeadWidth).transpose(1, 2);

    /// <summary>Biases for queries at these positions and the keys 0 … length − 1: <c>[heads, queries, length]</c>.</summary>
    private Tensor BiasOf(PositionBias bias, Tensor positions, int length)
    {
        int reach = bias.Reach(length);
        Tensor keys = arange(length, ScalarType.Int64, positions.device);
        Tensor distances = keys.unsqueeze(0) - positions.unsqueeze(1) + reach;
        return bias.Table.index_select(1, distances.flatten()).view(Heads, positions.shape[0], length);
    }
}
