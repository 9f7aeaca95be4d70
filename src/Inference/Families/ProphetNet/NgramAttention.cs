using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.ProphetNet;

/// <summary>
/// ProphetNet's self-attention in a step of generation (Qi et al. 2020, arXiv 2001.04063, section 3.2;
/// ProphetNetNgramSelfAttention of transformers). The main stream sees the sequence so far, its new token included; the
/// stream that predicts the next token sees the same keys and its own. Distances have buckets, whose biases are linear in
/// the query's hidden state. On torch's operators: keys are gathered, padded to the longest sequence and masked.
/// </summary>
internal sealed class NgramAttention(ProphetNetConfiguration configuration)
{
    private readonly int _heads = configuration.DecoderHeads;
    private readonly int _width = configuration.ModelWidth;
    private readonly int _headWidth = configuration.ModelWidth / configuration.DecoderHeads;
    private long[] _bucketOfDistance = [];

    /// <param name="projected">
    /// Queries, keys and values, <c>[2 × rows, 3 × width]</c>: the main stream's rows, then the predicting stream's.
    /// </param>
    /// <param name="biases">Bias of each bucket and head, <c>[2 × rows, buckets × heads]</c>.</param>
    /// <param name="batch">The step.</param>
    /// <param name="layer">The decoder layer.</param>
    /// <param name="context">The result, <c>[2 × rows, width]</c>; resized.</param>
    public void Decode(Rows projected, Rows biases, DecoderBatch batch, int layer, Rows context)
    {
        context.Resize(projected.Count);
        int rows = batch.Count;
        if (rows == 0)
        {
            return;
        }

        Tensor target = context.Tensor;
        using DisposeScope scope = NewDisposeScope();
        Tensor all = projected.Tensor;
        Tensor cache = batch.Cache.Layer(layer);
        (long[] locations, long[] own, long[] distances) = Locate(batch);
        cache.index_copy_(0, tensor(own, device: all.device), all.narrow(0, 0, rows).narrow(1, _width, 2 * _width));
        Tensor seen = cache
            .index_select(0, tensor(locations, device: all.device))
            .view(rows, batch.LongestSequence, 2 * _width);
        Tensor distance = tensor(distances, device: all.device).view(rows, batch.LongestSequence);
        Attend(
            Part(all, 0, rows),
            seen,
            Bias(biases.Tensor.narrow(0, 0, rows), distance),
            distance.lt(0),
            target.narrow(0, 0, rows)
        );

        // The predicting stream stands one place further, and its own key behind all others.
        Tensor predicting = Part(all, rows, rows);
        Tensor withOwn = cat([seen, predicting.narrow(2, _width, 2 * _width)], 1);
        Tensor further = cat([distance + 1, zeros_like(distance.narrow(1, 0, 1))], 1);
        Tensor isHidden = cat([distance.lt(0), zeros(rows, 1, dtype: ScalarType.Bool, device: all.device)], 1);
        Attend(
            predicting,
            withOwn,
            Bias(biases.Tensor.narrow(0, rows, rows), further),
            isHidden,
            target.narrow(0, rows, rows)
        );
    }

    /// <summary>Where each row's keys lie and how far behind the row they stand; −1 for what fills a sequence up.</summary>
    private static (long[] Locations, long[] Own, long[] Distances) Locate(DecoderBatch batch)
    {
        int longest = batch.LongestSequence;
        long[] locations = new long[batch.Count * longest];
        long[] distances = new long[batch.Count * longest];
        long[] own = new long[batch.Count];
        for (int row = 0; row < batch.Count; row++)
        {
            int first = batch.LocationStarts[row];
            int last = batch.Positions[row];
            own[row] = batch.Locations[first + last];
            for (int i = 0; i < longest; i++)
            {
                locations[(row * longest) + i] = batch.Locations[first + Math.Min(i, last)];
                distances[(row * longest) + i] = Math.Max(-1, last - i);
            }
        }

        return (locations, own, distances);
    }

    private static Tensor Part(Tensor rows, int start, int count) => rows.narrow(0, start, count).unsqueeze(1);

    /// <summary><c>[rows, 1, 3 × width]</c> with <c>[rows, keys, 2 × width]</c> → <c>[rows, width]</c>.</summary>
    private void Attend(Tensor projected, Tensor keysAndValues, Tensor bias, Tensor isHidden, Tensor target)
    {
        Tensor queries = Split(projected.narrow(2, 0, _width));
        Tensor keys = Split(keysAndValues.narrow(2, 0, _width));
        Tensor values = Split(keysAndValues.narrow(2, _width, _width));
        Tensor scores = queries.matmul(keys.transpose(2, 3)).mul_(1 / Math.Sqrt(_headWidth)).add_(bias);
        scores.masked_fill_(isHidden.unsqueeze(1).unsqueeze(2), float.NegativeInfinity);
        target.copy_(scores.softmax(-1).matmul(values).transpose(1, 2).reshape(target.shape[0], _width));
    }

    private Tensor Split(Tensor rows) => rows.reshape(rows.shape[0], rows.shape[1], _heads, _headWidth).transpose(1, 2);

    /// <summary>Of each row the biases by bucket, and its keys' distances <c>[rows, keys]</c> → <c>[rows, heads, 1, keys]</c>.</summary>
    private Tensor Bias(Tensor biases, Tensor distances)
    {
        long rows = distances.shape[0];
        long keys = distances.shape[1];
        Tensor buckets = tensor(Buckets((int)keys + 1), device: distances.device)
            .index_select(0, distances.clamp_min(0).flatten())
            .view(rows, keys, 1)
            .expand(rows, keys, _heads);
        return biases.view(rows, configuration.Buckets, _heads).gather(1, buckets).transpose(1, 2).unsqueeze(2);
    }

    /// <summary>Bucket of each distance; on torch's operators, so that float32 rounds as in the reference.</summary>
    private long[] Buckets(int count)
    {
        if (_bucketOfDistance.Length < count)
        {
            using DisposeScope scope = NewDisposeScope();
            int exact = configuration.Buckets / 2;
            Tensor distance = arange(Math.Max(count, 2 * _bucketOfDistance.Length), ScalarType.Float32);
            Tensor far = ((distance / exact).log() / Math.Log((double)configuration.MaxDistance / exact))
                .mul_(configuration.Buckets - exact)
                .add_(exact)
                .clamp_max_(configuration.Buckets - 1);
            Tensor bucket = where(distance.lt(exact), distance, far).to_type(ScalarType.Int64);
            _bucketOfDistance = bucket.data<long>().ToArray();
        }

        return _bucketOfDistance;
    }
}
