using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>
/// T5's relative positions: near distances have a bucket each, farther ones share buckets of logarithmically growing width
/// (T5Attention._relative_position_bucket of transformers).
/// </summary>
internal static class T5Buckets
{
    /// <param name="weight"><c>[buckets, heads]</c></param>
    /// <param name="distances"><c>[n]</c>, key − query, int64.</param>
    /// <param name="isBidirectional">Whether keys after the query have buckets of their own.</param>
    /// <param name="buckets">Number of buckets.</param>
    /// <param name="maxDistance">All distances from here on share a bucket.</param>
    /// <returns><c>[n, heads]</c></returns>
    public static Tensor Bias(Tensor weight, Tensor distances, bool isBidirectional, int buckets, int maxDistance)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor bucket = Bucket(distances, isBidirectional, buckets, maxDistance);
        return weight.index_select(0, bucket).MoveToOuterDisposeScope();
    }

    /// <summary>Bucket of each distance, int64. On torch's operators, so that float32 rounds as in the reference.</summary>
    public static Tensor Bucket(Tensor distances, bool isBidirectional, int buckets, int maxDistance)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor offset = zeros_like(distances);
        Tensor distance = distances.minimum(zeros_like(distances)).neg();
        if (isBidirectional)
        {
            buckets /= 2;
            offset = distances.gt(0).to_type(ScalarType.Int64) * buckets;
            distance = distances.abs();
        }

        int exact = buckets / 2;
        Tensor far = (
            (distance.to_type(ScalarType.Float32) / exact).log()
            / Math.Log((double)maxDistance / exact)
            * (buckets - exact)
        ).clamp(0, buckets);
        Tensor farBucket = (far.to_type(ScalarType.Int64) + exact).clamp_max(buckets - 1);
        return (offset + where(distance.lt(exact), distance, farBucket)).MoveToOuterDisposeScope();
    }
}
